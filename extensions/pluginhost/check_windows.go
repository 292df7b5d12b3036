package pluginhost

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

const (
	// alterFile are the rights that change what a file or directory holds, or
	// who may.
	alterFile = windows.FILE_WRITE_DATA | windows.FILE_APPEND_DATA | windows.DELETE |
		windows.WRITE_DAC | windows.WRITE_OWNER | windows.GENERIC_WRITE | windows.GENERIC_ALL
	fileDeleteChild = 0x40
	// alterWay are those that let someone put another file or directory in the
	// place of one on the way. Adding new ones, as everyone may in C:\, isn't.
	alterWay = fileDeleteChild | windows.DELETE | windows.WRITE_DAC | windows.WRITE_OWNER | windows.GENERIC_ALL
)

// safeWay returns where a candidate's path leads, if only trusted users decide
// that.
func safeWay(c candidate) (string, error) {
	real, err := filepath.EvalSymlinks(c.path)
	if err != nil {
		return "", err
	}
	if strings.HasPrefix(real, `\\`) {
		return "", unsafeError{reason: "it lies on another machine", hint: "install it on a local disk"}
	}
	if c.within != "" {
		dir, err := filepath.EvalSymlinks(c.within)
		if err != nil {
			return "", err
		}
		if rel, err := filepath.Rel(dir, real); err != nil || !filepath.IsLocal(rel) {
			return "", unsafeError{reason: "it is a symlink out of its directory, to " + real, hint: "put the binary itself there"}
		}
	}
	if err := checkWay(filepath.Clean(c.path), c.strict); err != nil {
		return "", err
	}
	return real, checkWay(real, c.strict)
}

// checkWay looks at the directory of a path and at each above it.
func checkWay(real string, strict bool) error {
	dir := filepath.Dir(real)
	if err := checkACL(dir, alterFile|fileDeleteChild, strict); err != nil {
		return err
	}
	for parent := filepath.Dir(dir); parent != dir; dir, parent = parent, filepath.Dir(parent) {
		if err := checkACL(parent, alterWay, strict); err != nil {
			return err
		}
	}
	return nil
}

// openSafe opens a binary so that nobody can write, rename or delete it until
// the start is over, and checks the file itself.
func openSafe(path string, strict bool) (*os.File, identity, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, identity{}, err
	}
	h, err := windows.CreateFile(name, windows.GENERIC_READ, windows.FILE_SHARE_READ, nil,
		windows.OPEN_EXISTING, windows.FILE_ATTRIBUTE_NORMAL|windows.FILE_FLAG_OPEN_REPARSE_POINT|windows.FILE_FLAG_BACKUP_SEMANTICS, 0)
	if err != nil {
		return nil, identity{}, &os.PathError{Op: "open", Path: path, Err: err}
	}
	file := os.NewFile(uintptr(h), path)
	id, err := identify(file)
	if err == nil && id.attributes&(windows.FILE_ATTRIBUTE_DIRECTORY|windows.FILE_ATTRIBUTE_REPARSE_POINT) != 0 {
		err = unsafeError{reason: "it isn't a regular file", hint: "put the binary itself there"}
	}
	if err == nil {
		err = checkACL(path, alterFile, strict)
	}
	if err != nil {
		_ = file.Close()
		return nil, identity{}, err
	}
	return file, id, nil
}

// checkACL refuses what someone untrusted owns or has one of the rights to.
func checkACL(path string, rights uint32, strict bool) error {
	sd, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT,
		windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return err
	}
	owner, _, err := sd.Owner()
	if err != nil {
		return err
	}
	if !trustedSID(owner, strict) {
		return unsafeError{reason: path + " belongs to " + owner.String(), hint: "make it belong to Administrators or to the user"}
	}
	acl, _, err := sd.DACL()
	if err != nil || acl == nil {
		return unsafeError{reason: path + " has no access list: everyone can write it", hint: "restore the folder's inherited permissions"}
	}
	return checkEntries(path, acl, rights, strict)
}

func checkEntries(path string, acl *windows.ACL, rights uint32, strict bool) error {
	for i := range uint32(acl.AceCount) {
		var ace *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(acl, i, &ace); err != nil {
			return err
		}
		if !grants(ace.Header.AceType) || ace.Header.AceFlags&windows.INHERIT_ONLY_ACE != 0 {
			continue
		}
		sid := (*windows.SID)(unsafe.Pointer(&ace.SidStart))
		if uint32(ace.Mask)&rights != 0 && !trustedSID(sid, strict) {
			return unsafeError{reason: path + " can be changed by " + sid.String(), hint: "remove that permission in the folder's security settings"}
		}
	}
	return nil
}

// grants tells whether an entry of that type gives rights. A conditional one,
// which begins as a plain one does, counts as if its condition were met.
func grants(kind uint8) bool {
	const allowedIf = 9 // ACCESS_ALLOWED_CALLBACK_ACE_TYPE
	return kind == windows.ACCESS_ALLOWED_ACE_TYPE || kind == allowedIf
}

// installer is the service that owns what Windows itself installs.
const installer = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"

func trustedSID(sid *windows.SID, strict bool) bool {
	if sid.IsWellKnown(windows.WinLocalSystemSid) || sid.IsWellKnown(windows.WinBuiltinAdministratorsSid) ||
		sid.IsWellKnown(windows.WinCreatorOwnerSid) || sid.String() == installer {
		return true
	}
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	return err == nil && !strict && sid.Equals(user.User.Sid)
}

// An identity is what tells one state of one file from any other.
type identity struct {
	volume, indexHigh, indexLow uint32
	sizeHigh, sizeLow           uint32
	attributes                  uint32
	written                     windows.Filetime
}

func identify(file *os.File) (identity, error) {
	var info windows.ByHandleFileInformation
	if err := windows.GetFileInformationByHandle(windows.Handle(file.Fd()), &info); err != nil {
		return identity{}, err
	}
	return identity{
		volume: info.VolumeSerialNumber, indexHigh: info.FileIndexHigh, indexLow: info.FileIndexLow,
		sizeHigh: info.FileSizeHigh, sizeLow: info.FileSizeLow,
		attributes: info.FileAttributes, written: info.LastWriteTime,
	}, nil
}

// mark is the binary's status in one word, and when the status last changed; no
// word where the file system doesn't keep the time of any change, which, other
// than that of writing, can't be set back by the usual means.
func (p *program) mark() (string, time.Time) {
	var basic struct {
		creation, access, write, change int64
		attributes                      uint32
		_                               uint32
	}
	err := windows.GetFileInformationByHandleEx(windows.Handle(p.file.Fd()), windows.FileBasicInfo,
		(*byte)(unsafe.Pointer(&basic)), uint32(unsafe.Sizeof(basic)))
	if err != nil || basic.change == 0 {
		return "", time.Time{}
	}
	b := p.before
	changed := windows.Filetime{LowDateTime: uint32(basic.change), HighDateTime: uint32(basic.change >> 32)}
	return fmt.Sprintf("%s %x %x.%x %x.%x %x %x", p.path, b.volume, b.indexHigh, b.indexLow, b.sizeHigh, b.sizeLow,
		b.written.Nanoseconds(), basic.change), time.Unix(0, changed.Nanoseconds())
}

// stillThere tells whether the path still leads to the file that was checked.
func stillThere(p *program) bool {
	there, err := os.Lstat(p.path)
	if err != nil {
		return false
	}
	checked, err := p.file.Stat()
	return err == nil && os.SameFile(there, checked)
}

// selfProgram is this program, to be started again.
func selfProgram(name string) (*program, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, refused(name, os.Args[0], "", "the program can't find its own file: %v", err)
	}
	return &program{name: name, path: exe}, nil
}
