//go:build unix

package pluginhost

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// maxLinks is how many symlinks a path may go through, as in the kernel.
const maxLinks = 40

// A walk resolves a path by itself, one name at a time, and looks at every
// directory in which a name is looked up: each of them decides what the path
// leads to.
type walk struct {
	trust trust
	real  string   // resolved so far
	rest  []string // names still to go
	links int
}

// safeWay returns where a candidate's path leads, if only trusted users decide
// that. The directory it mustn't leave may itself be reached by symlinks.
func safeWay(c candidate) (string, error) {
	t := trusted(c.strict)
	real, err := t.resolve(c.path)
	if err == nil {
		err = t.checkHolder(real)
	}
	if err != nil || c.within == "" {
		return real, err
	}
	dir, err := t.resolve(c.within)
	if err != nil {
		return "", err
	}
	if rel, err := filepath.Rel(dir, real); err != nil || !filepath.IsLocal(rel) {
		return "", unsafeError{reason: "it is a symlink out of its directory, to " + real, hint: "put the binary itself there"}
	}
	return real, nil
}

func (t trust) resolve(path string) (string, error) {
	w := walk{trust: t, real: "/", rest: names(path)}
	if err := w.enter("/"); err != nil {
		return "", err
	}
	for len(w.rest) > 0 {
		if err := w.step(); err != nil {
			return "", err
		}
	}
	return w.real, nil
}

func names(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

func (w *walk) step() error {
	name := w.rest[0]
	w.rest = w.rest[1:]
	switch name {
	case ".":
		return nil
	case "..":
		w.real = filepath.Dir(w.real)
		return nil
	}
	next := filepath.Join(w.real, name)
	info, err := os.Lstat(next)
	switch {
	case err != nil:
		return err
	case info.Mode()&os.ModeSymlink != 0:
		return w.follow(next, info)
	case info.IsDir():
		w.real = next
		return w.enter(next)
	case len(w.rest) > 0:
		return fmt.Errorf("%s: %w", next, syscall.ENOTDIR)
	}
	w.real = next
	return nil
}

func (w *walk) follow(path string, info os.FileInfo) error {
	if w.links++; w.links > maxLinks {
		return fmt.Errorf("%s: %w", path, syscall.ELOOP)
	}
	// In a sticky directory anyone may have made the link.
	if uid := ownerOf(info); !w.trust.owner(uid) {
		return unsafeError{reason: fmt.Sprintf("%s, a symlink on the way, belongs to user %d", path, uid), hint: w.trust.hint(path)}
	}
	target, err := os.Readlink(path)
	if err != nil {
		return err
	}
	if filepath.IsAbs(target) {
		w.real = "/"
	}
	w.rest = append(names(target), w.rest...)
	return nil
}

// enter checks a directory in which the next name is looked up.
func (w *walk) enter(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	return w.trust.check(dir, info, true)
}

// checkHolder checks the directory that holds the binary. It gets no leave for
// being sticky: whoever can add a file there can link another's binary into it.
func (t trust) checkHolder(path string) error {
	dir := filepath.Dir(path)
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	return t.check(dir, info, false)
}

// openSafe opens a binary whose way is safe, and checks the file itself.
func openSafe(path string, strict bool) (*os.File, identity, error) {
	// Without O_NONBLOCK, opening a FIFO would wait for its writer.
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, identity{}, err
	}
	id, err := identify(file)
	if err == nil {
		err = trusted(strict).checkFile(path, file)
	}
	if err != nil {
		_ = file.Close()
		return nil, identity{}, err
	}
	return file, id, nil
}

func (t trust) checkFile(path string, file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	switch mode := info.Mode(); {
	case !mode.IsRegular():
		return unsafeError{reason: "it isn't a regular file", hint: "put the binary itself there"}
	case mode&(os.ModeSetuid|os.ModeSetgid) != 0:
		return unsafeError{reason: "it is set-uid or set-gid", hint: "run: chmod ug-s " + path}
	case mode&0o111 == 0:
		return unsafeError{reason: "it isn't executable", hint: "run: chmod +x " + path}
	case unix.Faccessat(unix.AT_FDCWD, path, unix.X_OK, unix.AT_EACCESS) == nil:
	case runsNothing(file):
		return unsafeError{reason: "it isn't executable: its file system runs no programs (noexec)", hint: "install it on a file system that is mounted without noexec"}
	default:
		return unsafeError{reason: "it isn't executable by this user", hint: "run: chmod +x " + path}
	}
	return t.check(path, info, false)
}

// An identity is what tells one state of one file from any other. Whoever
// writes, renames or re-permits the file changes ctime, and can't set it.
type identity struct {
	dev, ino, size       int64
	mode, uid            uint32
	mtime, ctime         int64
	mtimeNano, ctimeNano int64
}

func identify(file *os.File) (identity, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &st); err != nil {
		return identity{}, err
	}
	return identity{
		dev: int64(st.Dev), ino: int64(st.Ino), size: st.Size,
		mode: uint32(st.Mode), uid: st.Uid,
		mtime: int64(st.Mtim.Sec), mtimeNano: int64(st.Mtim.Nsec),
		ctime: int64(st.Ctim.Sec), ctimeNano: int64(st.Ctim.Nsec),
	}, nil
}

// mark is the binary's status in one word, and when the status last changed.
func (p *program) mark() (string, time.Time) {
	b := p.before
	return fmt.Sprintf("%s %d %d %d %d.%09d %d.%09d", p.path, b.dev, b.ino, b.size, b.mtime, b.mtimeNano, b.ctime, b.ctimeNano),
		time.Unix(max(b.mtime, b.ctime)+1, 0)
}

// stillThere tells whether the path, by which systems without descriptors to
// execute start the program, still leads to the file that was checked.
func stillThere(p *program) bool {
	if runsByDescriptor {
		return true
	}
	there, err := os.Lstat(cmp.Or(p.run, p.path))
	if err != nil {
		return false
	}
	checked, err := p.file.Stat()
	return err == nil && os.SameFile(there, checked)
}
