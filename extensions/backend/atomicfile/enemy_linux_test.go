package atomicfile_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
	"github.com/msalext/msalext/internal/testproc"
)

var children = testproc.Children{
	"disk full":   fullDisk,
	"denied":      deniedToUs,
	"write loop":  writeForEver,
	"write once":  func(args []string) error { return replaceBy(args[0], []byte("once")) },
	"count up":    func(args []string) error { return countUp(args[0], 25) },
	"unwritable":  unwritable,
	"prepare bad": func(args []string) error { _, err := atomicfile.Prepare(args[0]); return want(err, backend.ErrDenied) },
}

func want(err, kind error) error {
	e := (*backend.Error)(nil)
	if !errors.Is(err, kind) || !errors.As(err, &e) || e.Hint == "" {
		return fmt.Errorf("got %v, want %v with a hint", err, kind)
	}
	return nil
}

// deniedToUs shows that the file's system permissions would allow what we
// refuse.
func deniedToUs(args []string) error {
	path := args[0]
	before, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("the test proves nothing: %w", err)
	}
	_, readErr := atomicfile.Read(path)
	_, writeErr := atomicfile.Write(background, path, []byte("x"), atomicfile.VersionOf(before))
	removeErr := atomicfile.Remove(background, path, atomicfile.VersionOf(before))
	for _, err := range []error{readErr, writeErr, removeErr} {
		if err := want(err, backend.ErrDenied); err != nil {
			return err
		}
	}
	after, err := os.ReadFile(path)
	if err != nil || string(after) != string(before) {
		return fmt.Errorf("content became %q, %w", after, err)
	}
	if err := os.WriteFile(path+".new", []byte("x"), 0o600); err != nil {
		return fmt.Errorf("the test proves nothing: %w", err)
	}
	return os.Rename(path+".new", path)
}

func TestOwnedBySomebodyElse(t *testing.T) {
	t.Parallel()
	dir := testproc.SharedDir(t)
	path := filepath.Join(dir, "cache")
	for _, err := range []error{os.WriteFile(path, []byte("planted"), 0o644), os.Chmod(path, 0o644), os.Chmod(dir, 0o777)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	testproc.Run(t, testproc.AsNobody(testproc.Command(t, "prepare bad", path)))
	testproc.Run(t, testproc.AsNobody(testproc.Command(t, "denied", path)))
}

func unwritable(args []string) error {
	blob, err := atomicfile.Read(args[0])
	if err != nil {
		return err
	}
	_, err = atomicfile.Write(background, args[0], []byte("x"), blob.Version)
	return errors.Join(want(err, backend.ErrDenied), want(atomicfile.Remove(background, args[0], blob.Version), backend.ErrDenied))
}

func TestUnwritableDirectory(t *testing.T) {
	t.Parallel()
	dir := testproc.SharedDir(t)
	path := filepath.Join(dir, "cache")
	v := mustWrite(t, path, []byte("kept"), backend.None)
	if err := os.Chown(path, testproc.Nobody, testproc.Nobody); err != nil {
		t.Fatal(err)
	}
	testproc.Run(t, testproc.AsNobody(testproc.Command(t, "unwritable", path)))
	if err := os.Chown(path, 0, 0); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, path, []byte("new"), v) // it was the directory's permission, nothing else
}

func TestUnsafeFiles(t *testing.T) {
	t.Parallel()
	tests := map[string]func(path, other string) error{
		"symlink":        func(path, other string) error { return os.Symlink(other, path) },
		"hard link":      func(path, other string) error { return os.Link(other, path) },
		"FIFO":           func(path, _ string) error { return syscall.Mkfifo(path, 0o600) },
		"group writable": func(path, _ string) error { return withMode(path, 0o660) },
		"world writable": func(path, _ string) error { return withMode(path, 0o606) },
	}
	for name, plant := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := cachePath(t)
			other := path + ".other"
			if err := errors.Join(withMode(other, 0o600), plant(path, other)); err != nil {
				t.Fatal(err)
			}
			_, err := atomicfile.Prepare(path)
			wantKind(t, err, backend.ErrDenied)
			_, err = atomicfile.Read(path)
			wantKind(t, err, backend.ErrDenied)
			for _, base := range []backend.Version{backend.None, atomicfile.VersionOf([]byte("content"))} {
				_, err = atomicfile.Write(t.Context(), path, []byte("x"), base)
				wantKind(t, err, backend.ErrDenied)
				wantKind(t, atomicfile.Remove(t.Context(), path, base), backend.ErrDenied)
			}
			wantAlone(t, filepath.Dir(path), "cache", "cache.other")
			if data, err := os.ReadFile(other); err != nil || string(data) != "content" {
				t.Errorf("the other file: %q, %v", data, err)
			}
		})
	}
}

func withMode(path string, mode os.FileMode) error {
	return errors.Join(os.WriteFile(path, []byte("content"), 0o600), os.Chmod(path, mode))
}

func TestTouchOfPeersFiles(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	if err := errors.Join(withMode(path, 0o664), atomicfile.Touch(path)); err != nil {
		t.Errorf("a file as .NET creates it: %v", err)
	}
	if err := os.Symlink(path, path+".link"); err != nil {
		t.Fatal(err)
	}
	wantKind(t, atomicfile.Touch(path+".link"), backend.ErrDenied)
}

func TestTightened(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	if err := withMode(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, tightened, err := atomicfile.Load(path, backend.None); err != nil || !tightened {
		t.Errorf("load: %t, %v", tightened, err)
	}
	if tightened, err := atomicfile.Prepare(path); err != nil || tightened {
		t.Errorf("the second time: %t, %v", tightened, err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if tightened, err := atomicfile.Prepare(path); err != nil || !tightened {
		t.Errorf("prepare: %t, %v", tightened, err)
	}
	mustWrite(t, path, []byte("x"), atomicfile.VersionOf([]byte("content")))
	if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("mode after a write: %v, %v", fi.Mode(), err)
	}
}
