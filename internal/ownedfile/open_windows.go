package ownedfile

import (
	"os"

	"golang.org/x/sys/windows"
)

// shareAll lets others rename and remove a file while we read it: a handle
// without it would block the writer's rename.
const shareAll = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE

// openNoFollow opens a reparse point itself, and directories too, so that vet
// can say what they are.
func openNoFollow(path string, flag int) (*os.File, error) {
	access, disposition := uint32(windows.GENERIC_READ), uint32(windows.OPEN_EXISTING)
	if flag&(os.O_WRONLY|os.O_RDWR) != 0 {
		access |= windows.GENERIC_WRITE
	}
	switch {
	case flag&(os.O_CREATE|os.O_EXCL) == os.O_CREATE|os.O_EXCL:
		disposition = windows.CREATE_NEW
	case flag&os.O_CREATE != 0:
		disposition = windows.OPEN_ALWAYS
	}
	return CreateFile(path, access, shareAll, disposition, 0)
}

// CreateFile is the system call of that name, for callers that need a sharing
// mode or flags of their own: what it creates has an access list with the user
// alone, and a reparse point is opened itself. The file isn't checked. Errors
// are *os.PathError.
func CreateFile(path string, access, share, disposition, flags uint32) (*os.File, error) {
	failed := func(err error) (*os.File, error) {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return failed(err)
	}
	sa, err := ownerOnly(false)
	if err != nil {
		return failed(err)
	}
	flags |= windows.FILE_ATTRIBUTE_NORMAL | windows.FILE_FLAG_OPEN_REPARSE_POINT | windows.FILE_FLAG_BACKUP_SEMANTICS
	h, err := windows.CreateFile(name, access, share, sa, disposition, flags, 0)
	if err != nil {
		return failed(err)
	}
	return os.NewFile(uintptr(h), path), nil
}

// vet checks kind, names and owner. Permissions are inherited from the user's
// profile and stay as they are.
func vet(f *os.File, _ bool) (tightened bool, err error) {
	var info windows.ByHandleFileInformation
	if err := windows.GetFileInformationByHandle(windows.Handle(f.Fd()), &info); err != nil {
		return false, Wrap("open", &os.PathError{Op: "stat", Path: f.Name(), Err: err})
	}
	switch {
	case info.FileAttributes&windows.FILE_ATTRIBUTE_REPARSE_POINT != 0:
		return false, refuse(f.Name(), "it is a link (reparse point)", "give the location of the file itself")
	case info.FileAttributes&windows.FILE_ATTRIBUTE_DIRECTORY != 0:
		return false, directoryError(f.Name())
	case info.NumberOfLinks > 1:
		return false, refuse(f.Name(), "the file has a second name (hard link)", "remove the other name, or copy the file and put the copy in its place")
	}
	return false, checkOwner(f)
}

// refusal has nothing to add on Windows: links and directories open.
func refusal(string, error) error { return nil }

// rootMayUse accepts: files that an elevated process of the same user creates
// name that user as owner, so nobody is locked out.
func rootMayUse(string) error { return nil }
