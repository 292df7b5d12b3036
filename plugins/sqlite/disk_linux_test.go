package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/testproc"
)

func init() {
	children["disk full"] = func(args []string) error { return fullDisk(args[0]) }
	children["read-only"] = func(args []string) error { return readOnly(args[0]) }
	children["refused"] = func(args []string) error { return refused(args[0]) }
	children["no memory"] = func(args []string) error { return noMemory(args[0]) }
	children["unwritable"] = func(args []string) error { return unwritable(args[0]) }
}

var background = context.Background()

func is(what string, err, kind error) error {
	e := (*backend.Error)(nil)
	if !errors.Is(err, kind) || !errors.As(err, &e) || e.Hint == "" {
		return fmt.Errorf("%s: got %v, want %v with a hint", what, err, kind)
	}
	return nil
}

// fullDisk saves until nothing fits, in a file system of its own. What is there
// can still be read, and once there is room again also changed.
func fullDisk(dir string) error {
	if err := testproc.MountTmpfs(dir, "600k"); err != nil {
		return err
	}
	for name, m := range modes {
		path := filepath.Join(dir, name)
		s, err := job{m, path}.open(background)
		if err != nil {
			return err
		}
		v, err := s.Save(background, "k", []byte("kept"), backend.None)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		_, err = s.Save(background, "k", bytes.Repeat([]byte("n"), 1<<20), v)
		if err := is(name, err, backend.ErrUnavailable); err != nil {
			return err
		}
		if !strings.Contains(err.Error(), hintSpace) {
			return fmt.Errorf("%s: it doesn't say why: %w", name, err)
		}
		ballast := filepath.Join(dir, "ballast")
		if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
			return fmt.Errorf("the disk isn't full: %w", err)
		}
		other, err := job{m, path}.open(background)
		if err != nil {
			return fmt.Errorf("%s, open on a full disk: %w", name, err)
		}
		for _, s := range []*store{s, other} {
			if blob, err := s.Load(background, "k", backend.None); err != nil || string(blob.Data) != "kept" {
				return fmt.Errorf("%s, load: %q, %w", name, blob.Data, err)
			}
		}
		fresh, err := job{m, path + "-new"}.open(background)
		if err != nil {
			return err
		}
		_, err = fresh.Save(background, "k", []byte("x"), backend.None)
		if err := is(name+", create", err, backend.ErrUnavailable); err != nil {
			return err
		}
		if err := os.Remove(ballast); err != nil {
			return err
		}
		if _, err := s.Save(background, "k", []byte("new"), v); err != nil {
			return fmt.Errorf("%s, with room again: %w", name, err)
		}
		if _, err := fresh.Save(background, "k", []byte("x"), backend.None); err != nil {
			return fmt.Errorf("%s, create with room again: %w", name, err)
		}
		err = errors.Join(s.Check(background), s.Close(), other.Close(), fresh.Close(), os.Remove(path), os.Remove(path+"-new"))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	testproc.Run(t, testproc.WithOwnMounts(testproc.Command(t, "disk full", t.TempDir())))
}

// readOnly expects that what can't be written is neither empty nor damaged.
func readOnly(dir string) error {
	if err := testproc.MountTmpfs(dir, "1m"); err != nil {
		return err
	}
	for name, m := range modes {
		path := filepath.Join(dir, name)
		s, err := job{m, path}.open(background)
		if err != nil {
			return err
		}
		_, err = s.Save(background, "k", []byte("kept"), backend.None)
		if err := errors.Join(err, s.Close()); err != nil {
			return err
		}
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		return err
	}
	for name, m := range modes {
		if _, err := (job{m, filepath.Join(dir, name)}).open(background); err != nil {
			if err := is(name, err, backend.ErrDenied); err != nil {
				return err
			}
			continue
		}
		return fmt.Errorf("%s: it opens", name)
	}
	s, err := job{mode{}, filepath.Join(dir, "none")}.open(background)
	if err != nil {
		return err
	}
	_, err = s.Save(background, "k", []byte("x"), backend.None)
	return errors.Join(is("create", err, backend.ErrDenied), s.Close())
}

func TestReadOnlyFileSystem(t *testing.T) {
	t.Parallel()
	testproc.Run(t, testproc.WithOwnMounts(testproc.Command(t, "read-only", t.TempDir())))
}

func refused(path string) error {
	_, err := job{mode{}, path}.open(background)
	return is("open", err, backend.ErrDenied)
}

func TestSomebodyElsesPlace(t *testing.T) {
	t.Parallel()
	path := filepath.Join(testproc.SharedDir(t), "cache")
	filled(t, mode{}, path)
	testproc.Run(t, testproc.AsNobody(testproc.Command(t, "refused", path)))
	testproc.Run(t, testproc.AsNobody(testproc.Command(t, "refused", filepath.Join(filepath.Dir(path), "new", "cache"))))
	holds(t, mode{}.store(t, path), "k", "kept")
}

// unwritable expects that a database in a directory, or of a mode, that can't
// be written is denied, and neither empty nor damaged.
func unwritable(path string) error {
	s, err := job{mode{}, path}.open(background)
	if err != nil {
		return is("open", err, backend.ErrDenied)
	}
	_, err = s.Load(background, "k", backend.None)
	if err == nil {
		_, err = s.Save(background, "new", []byte("x"), backend.None)
	}
	return errors.Join(is("use", err, backend.ErrDenied), s.Close())
}

func TestUnwritable(t *testing.T) {
	t.Parallel()
	for name, modes := range map[string][2]os.FileMode{"directory": {0o500, 0o600}, "file": {0o700, 0o400}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(testproc.SharedDir(t), "theirs")
			path := filepath.Join(dir, "cache")
			filled(t, mode{}, path)
			for _, err := range []error{
				os.Chown(dir, testproc.Nobody, testproc.Nobody), os.Chown(path, testproc.Nobody, testproc.Nobody),
				os.Chmod(dir, modes[0]), os.Chmod(path, modes[1]),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			testproc.Run(t, testproc.AsNobody(testproc.Command(t, "unwritable", path)))
			for _, err := range []error{os.Chown(dir, 0, 0), os.Chown(path, 0, 0), os.Chmod(path, 0o600)} {
				if err != nil {
					t.Fatal(err)
				}
			}
			holds(t, mode{}.store(t, path), "k", "kept") // it was the permission, nothing else
		})
	}
}

// Not parallel: the umask is the process's.
func TestModes(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	for name, m := range modes {
		dir := filepath.Join(t.TempDir(), "a", "b")
		path := filepath.Join(dir, "cache")
		s := m.store(t, path)
		v := save(t, s, "k", "x", backend.None)
		look := func(least int) {
			files, err := os.ReadDir(dir)
			if err != nil || len(files) < least {
				t.Fatalf("%s: %v, %v", name, files, err)
			}
			for _, f := range files {
				if fi, err := f.Info(); err != nil || fi.Mode() != 0o600 {
					t.Errorf("%s: %s has mode %v, %v", name, f.Name(), fi.Mode(), err)
				}
			}
		}
		if m.Rollback {
			look(1)
		} else {
			look(3)
		}
		err := s.pool.write(t.Context(), existing, func(c *conn) error {
			return c.change(func() error {
				defer look(2)
				return c.exec(sqlDelete, idsOf("k"), []byte("k"))
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		save(t, s, "k", "y", backend.None)
		_ = v
		if fi, err := os.Stat(dir); err != nil || fi.Mode().Perm() != 0o700 {
			t.Errorf("%s: the directory has mode %v, %v", name, fi.Mode(), err)
		}
	}
}

// Not parallel: it replaces the default logger.
func TestWarnsOnceOfReadableFiles(t *testing.T) {
	var logged bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, nil)))
	defer slog.SetDefault(before)

	path := cachePath(t)
	filled(t, mode{}, path)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	holds(t, mode{}.store(t, path), "k", "kept")
	if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", fi.Mode(), err)
	}
	if n := strings.Count(logged.String(), "level=WARN"); n != 1 {
		t.Errorf("%d warnings: %s", n, logged.String())
	}
}

// Whoever can write the directory must not turn what SQLite does against other
// files.
func TestPlantedFiles(t *testing.T) {
	t.Parallel()
	tests := map[string]func(path, other string) error{
		"symlink":        func(path, other string) error { return os.Symlink(other, path) },
		"hard link":      func(path, other string) error { return os.Link(other, path) },
		"FIFO":           func(path, _ string) error { return syscall.Mkfifo(path, 0o600) },
		"world writable": func(path, _ string) error { return errors.Join(os.WriteFile(path, nil, 0o600), os.Chmod(path, 0o606)) },
	}
	for name, plant := range tests {
		for _, suffix := range []string{"", "-wal", "-shm", "-journal", ".lockqueue"} {
			t.Run(name+suffix, func(t *testing.T) {
				t.Parallel()
				path := cachePath(t)
				other := path + ".other"
				if suffix == "" {
					filled(t, mode{}, other) // it would be usable
				} else {
					filled(t, mode{}, path)
					_ = os.Remove(path + suffix)
					if err := os.WriteFile(other, []byte("other"), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				before, err := os.ReadFile(other)
				if err := errors.Join(err, plant(path+suffix, other)); err != nil {
					t.Fatal(err)
				}
				_, err = Backend().Open(t.Context(), backend.Config{Path: path})
				wants(t, "open", err, backend.ErrDenied)
				if after, err := os.ReadFile(other); err != nil || !bytes.Equal(before, after) {
					t.Errorf("the other file was changed: %v", err)
				}
			})
		}
	}
}

// They are refused by what opens them, too: they may be planted after the
// first look.
func TestPlantedLater(t *testing.T) {
	t.Parallel()
	for _, suffix := range []string{"-wal", "-shm"} {
		path := cachePath(t)
		filled(t, mode{}, path)
		s := mode{}.store(t, path)
		if err := s.pool.place.prepare(func(string) {}); err != nil {
			t.Fatal(err)
		}
		c := s.pool.pop()
		if c == nil {
			t.Fatal("no connection")
		}
		_ = c.close()
		other := path + ".other"
		if err := errors.Join(os.WriteFile(other, []byte("other"), 0o600), os.Symlink(other, path+suffix)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Load(t.Context(), "k", backend.None); !errors.Is(err, backend.ErrDenied) {
			t.Errorf("%s: %v", suffix, err)
		}
		if data, err := os.ReadFile(other); err != nil || string(data) != "other" {
			t.Errorf("%s: the other file is %q, %v", suffix, data, err)
		}
	}
}

// What lies at the path counts, not what a connection has open: a database that
// was removed or put back from a backup isn't written behind anyone's back.
func TestReplacedWhileOpen(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"plain", "adiantum"} {
		m := modes[name]
		path := cachePath(t)
		s := m.store(t, path)
		filled(t, m, path)
		holds(t, s, "k", "kept")
		backup, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		blob, err := s.Load(t.Context(), "k", backend.None)
		if err != nil {
			t.Fatal(err)
		}
		for _, suffix := range []string{"", "-wal", "-shm", "-journal"} { // of which each mode has some
			if err := os.Remove(path + suffix); err != nil && (suffix == "" || !errors.Is(err, fs.ErrNotExist)) {
				t.Fatal(err)
			}
		}
		if _, err := s.Load(t.Context(), "k", blob.Version); !errors.Is(err, backend.ErrNotFound) {
			t.Errorf("load of what was removed: %v", err)
		}
		if _, err := s.Save(t.Context(), "k", []byte("lost"), blob.Version); !errors.Is(err, backend.ErrConflict) {
			t.Errorf("save over what was removed: %v", err)
		}
		save(t, s, "new", "new", backend.None)
		holds(t, m.store(t, path), "new", "new")
		if err := os.WriteFile(path+".backup", backup, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = m.store(t, path)
		if err := os.Rename(path+".backup", path); err != nil {
			t.Fatal(err)
		}
		for _, suffix := range []string{"-wal", "-shm"} {
			_ = os.Remove(path + suffix)
		}
		holds(t, s, "k", "kept")
	}
}

// noMemory opens a database where there is little room for it. Go itself has
// to have some, or it gives up.
func noMemory(path string) error {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return err
	}
	var pages uint64 // the first figure
	if _, err := fmt.Sscan(string(statm), &pages); err != nil {
		return err
	}
	limit := &syscall.Rlimit{Cur: pages*uint64(os.Getpagesize()) + 128<<20, Max: 1 << 62}
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, limit); err != nil {
		return err
	}
	_, err = job{mode{}, path}.open(background)
	limit.Cur = limit.Max
	if err := errors.Join(is("open", err, backend.ErrUnavailable), syscall.Setrlimit(syscall.RLIMIT_AS, limit)); err != nil {
		return err
	}
	s, err := job{mode{}, path}.open(background)
	if err != nil {
		return err
	}
	return s.Close()
}

func TestNoAddressSpace(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	filled(t, mode{}, path)
	testproc.Run(t, testproc.Command(t, "no memory", path))
	holds(t, mode{}.store(t, path), "k", "kept")
}
