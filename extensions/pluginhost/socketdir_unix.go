//go:build unix

package pluginhost

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	socketDirPrefix = "msalext-"
	// socketNames is what the directory's and the socket's names add to the
	// base: "/msalext-" and 8 letters, "/plugin" and up to 10 digits.
	socketNames = 9 + 8 + 7 + 10
)

// maxSocketPath is how long a Unix socket's path may be: sun_path of this
// system, without its end.
const maxSocketPath = len(syscall.RawSockaddrUnix{}.Path) - 1

// A socketDir is a directory of mode 0700 for one plugin's socket. It is
// flocked for as long as the host lives, so that others can tell one that was
// left behind.
type socketDir struct {
	path string
	lock *os.File
}

// newSocketDir makes the directory in the first base that is safe and short
// enough.
func newSocketDir(bases []string) (*socketDir, error) {
	var errs []error
	for _, base := range bases {
		if err := checkBase(base); err != nil {
			errs = append(errs, err)
			continue
		}
		d, err := makeIn(base)
		if err == nil {
			return d, nil
		}
		errs = append(errs, err)
	}
	return nil, fmt.Errorf("no directory fit for the plugin's socket: %w", errors.Join(errs...))
}

// socketBases lists where sockets may be. XDG_RUNTIME_DIR is the user's own
// and no cleaner of temporary files touches it.
func socketBases() []string {
	var bases []string
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" && private(dir) {
		bases = append(bases, dir)
	}
	return append(bases, os.TempDir(), "/tmp")
}

// private tells whether a directory is the effective user's alone.
func private(dir string) bool {
	info, err := os.Lstat(dir)
	return err == nil && info.IsDir() && ownerOf(info) == uint32(os.Geteuid()) && info.Mode().Perm()&0o077 == 0
}

func checkBase(base string) error {
	if !filepath.IsAbs(base) {
		return fmt.Errorf("%s is a relative path", base)
	}
	if len(base)+socketNames > maxSocketPath {
		return fmt.Errorf("%s is too long for a socket in it", base)
	}
	_, err := trusted(false).resolve(base)
	return err
}

// makeIn makes and locks a new directory. Between the two, a sweep by another
// process may take it for one left behind; then there is another name.
func makeIn(base string) (*socketDir, error) {
	for range 16 {
		path := filepath.Join(base, socketDirPrefix+strings.ToLower(rand.Text()[:8]))
		switch err := os.Mkdir(path, 0o700); {
		case errors.Is(err, fs.ErrExist):
			continue
		case err != nil:
			return nil, err
		}
		if d := lockDir(path); d != nil {
			return d, nil
		}
	}
	return nil, fmt.Errorf("%s: can't make a directory of one's own", base)
}

// lockDir returns the directory locked, or nil when it isn't ours any more.
// A file system without locks does without: nobody sweeps there either.
func lockDir(path string) *socketDir {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	opened, err := f.Stat()
	if err == nil && unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) != unix.EWOULDBLOCK {
		if there, err := os.Lstat(path); err == nil && os.SameFile(opened, there) && private(path) {
			return &socketDir{path: path, lock: f}
		}
	}
	_ = f.Close()
	return nil
}

// remove removes the directory with what is in it. A second call does nothing.
func (d *socketDir) remove() {
	_ = os.RemoveAll(d.path)
	_ = d.lock.Close()
}

// maxSwept bounds how much of a large directory for temporary files is read.
const maxSwept = 1 << 14

// sweep removes the directories that dead hosts left in the bases. In a base
// that isn't safe, others could give a directory of the user's such a name.
func sweep(bases []string) {
	for _, base := range bases {
		if checkBase(base) != nil {
			continue
		}
		for _, name := range socketDirsIn(base) {
			if path := filepath.Join(base, name); private(path) {
				sweepDir(path)
			}
		}
	}
}

// sweepDir removes a directory that nobody has locked, with the sockets in it.
// One that holds anything else bears the name by chance, and stays.
func sweepDir(path string) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer f.Close()
	if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		return
	}
	entries, err := f.ReadDir(-1)
	if err != nil || slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Type() != fs.ModeSocket && !e.IsDir() }) {
		return
	}
	for _, e := range entries {
		_ = os.Remove(filepath.Join(path, e.Name())) // a directory only if it is empty, as go-plugin's is
	}
	_ = os.Remove(path)
}

func socketDirsIn(base string) []string {
	f, err := os.Open(base)
	if err != nil {
		return nil
	}
	defer f.Close()
	var found []string
	for range maxSwept / 256 {
		names, err := f.Readdirnames(256)
		for _, name := range names {
			if strings.HasPrefix(name, socketDirPrefix) && len(name) == len(socketDirPrefix)+8 {
				found = append(found, name)
			}
		}
		if err != nil {
			break
		}
	}
	return found
}
