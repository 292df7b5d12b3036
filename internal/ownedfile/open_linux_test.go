package ownedfile_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/ownedfile"
	"github.com/msalext/msalext/internal/testproc"
)

var children = testproc.Children{
	"open":  func(args []string) error { return openAs(args[0], args[1]) },
	"mkdir": func(args []string) error { return kindIs(args[0], ownedfile.MkdirAll(args[1])) },
	"check": func(args []string) error { return kindIs(args[0], ownedfile.CheckDir(args[1])) },
}

// openAs opens a file to write, and proves that a plain open would have been
// allowed wherever ours says no.
func openAs(kind, path string) error {
	f, err := ownedfile.Open(path, os.O_RDWR|os.O_CREATE)
	if err == nil {
		return errors.Join(f.Close(), kindIs(kind, nil))
	}
	if os.Getenv("PLAIN_OPEN") == "works" {
		plain, plainErr := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if plainErr != nil {
			return fmt.Errorf("the test proves nothing: %w", plainErr)
		}
		_ = plain.Close()
	}
	return kindIs(kind, err)
}

func kindIs(want string, err error) error {
	got := "none"
	e := (*backend.Error)(nil)
	if errors.As(err, &e) {
		got = e.Kind.Error()
		if e.Hint == "" {
			return fmt.Errorf("no hint: %w", err)
		}
	}
	if got != want {
		return fmt.Errorf("got %s (%w), want %s", got, err, want)
	}
	fmt.Println(err)
	return nil
}

func TestModes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		mode      os.FileMode
		kind      error
		tightened bool
	}{
		{0o600, nil, false}, {0o700, nil, false}, {0o640, nil, true}, {0o644, nil, true}, {0o604, nil, true},
		{0o660, backend.ErrDenied, false}, {0o620, backend.ErrDenied, false}, {0o602, backend.ErrDenied, false}, {0o666, backend.ErrDenied, false},
	}
	for _, tt := range tests {
		t.Run(tt.mode.String(), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "cache")
			write(t, path, tt.mode)
			lax, err := ownedfile.OpenAnyMode(path, os.O_RDONLY)
			if err != nil || lax.Tightened {
				t.Fatalf("OpenAnyMode: %+v, %v", lax, err)
			}
			_ = lax.Close()
			f, err := ownedfile.Open(path, os.O_RDONLY)
			if tt.kind != nil {
				wantKind(t, err, tt.kind)
				return
			}
			if err != nil || f.Tightened != tt.tightened {
				t.Fatalf("got %+v, %v, want tightened %t", f, err, tt.tightened)
			}
			defer f.Close()
			if fi, _ := f.Stat(); fi.Mode().Perm()&0o077 != 0 {
				t.Errorf("mode is %v afterwards", fi.Mode())
			}
		})
	}
}

func TestOpenRefusesByNature(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := func(s string) string { return filepath.Join(dir, s) }
	write(t, name("target"), 0o600)
	write(t, name("one"), 0o600)
	socket, err := net.Listen("unix", name("socket"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	for _, err := range []error{
		os.Symlink(name("target"), name("link")), os.Symlink(name("nowhere"), name("dangling")),
		os.Link(name("one"), name("two")), syscall.Mkfifo(name("fifo"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	flags := map[string]int{"read": os.O_RDONLY, "write": os.O_WRONLY, "both": os.O_RDWR, "create": os.O_RDWR | os.O_CREATE}
	for _, file := range []string{"link", "dangling", "one", "two", "fifo", "socket"} {
		for how, flag := range flags {
			t.Run(file+"/"+how, func(t *testing.T) {
				t.Parallel()
				_, err := ownedfile.Open(name(file), flag)
				wantKind(t, err, backend.ErrDenied)
			})
		}
	}
	t.Cleanup(func() {
		if _, err := os.Lstat(name("nowhere")); err == nil {
			t.Error("the dangling link's target was created")
		}
	})
}

func TestLinkedDirectoryIsFine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Symlink(dir, filepath.Join(dir, "self")); err != nil {
		t.Fatal(err)
	}
	f, err := ownedfile.Open(filepath.Join(dir, "self", "cache"), os.O_RDWR|os.O_CREATE)
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
}

func TestOtherOwners(t *testing.T) {
	t.Parallel()
	mode := func(path string, mode os.FileMode) string {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	sticky := mode(testproc.SharedDir(t), 0o777|os.ModeSticky)
	writable := mode(testproc.SharedDir(t), 0o777)
	closed := testproc.SharedDir(t)
	planted := filepath.Join(writable, "planted")
	write(t, planted, 0o666)
	private := filepath.Join(closed, "private")
	write(t, private, 0o600)
	tests := []struct{ name, child, path, plain, kind string }{
		{"file of root that everybody can write", "open", planted, "works", backend.ErrDenied.Error()},
		{"file of root", "open", private, "", backend.ErrDenied.Error()},
		{"directory of root", "open", filepath.Join(closed, "new"), "", backend.ErrDenied.Error()},
		{"new directory in one of root", "mkdir", filepath.Join(closed, "new"), "", backend.ErrDenied.Error()},
		{"new directory in a sticky one", "mkdir", filepath.Join(sticky, "a", "b"), "", "none"},
		{"directory that everybody can write", "check", writable, "", backend.ErrDenied.Error()},
		{"sticky directory", "check", sticky, "", "none"},
		{"file as directory", "check", planted, "", backend.ErrInvalid.Error()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cmd := testproc.AsNobody(testproc.Command(t, tt.child, tt.kind, tt.path))
			cmd.Env = append(cmd.Env, "PLAIN_OPEN="+tt.plain)
			if out := testproc.Run(t, cmd); tt.path == private && !strings.Contains(out, "sudo chown") {
				t.Errorf("the message doesn't tell how to get the file back: %s", out)
			}
		})
	}
}

func TestRootStaysOutOfHomes(t *testing.T) {
	t.Parallel()
	home := filepath.Join(testproc.SharedDir(t), "home")
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(home, testproc.Nobody, testproc.Nobody); err != nil {
		t.Fatal(err)
	}
	denied := backend.ErrDenied.Error()
	for child, path := range map[string]string{"open": "cache", "mkdir": "a/b", "check": "."} {
		t.Run(child, func(t *testing.T) {
			cmd := testproc.AsRoot(testproc.Command(t, child, denied, filepath.Join(home, path)))
			cmd.Env = append(cmd.Env, "PLAIN_OPEN=works")
			if out := testproc.Run(t, cmd); !strings.Contains(out, "without sudo") {
				t.Errorf("no way out in: %s", out)
			}
		})
	}
}

func TestMkdirAllIsPrivate(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	if err := ownedfile.MkdirAll(filepath.Join(top, "a", "b")); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"a", "a/b"} {
		if fi, err := os.Stat(filepath.Join(top, dir)); err != nil || fi.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", dir, fi.Mode(), err)
		}
	}
	if err := ownedfile.MkdirAll(filepath.Join(top, "a", "b")); err != nil {
		t.Errorf("second call: %v", err)
	}
	write(t, filepath.Join(top, "file"), 0o600)
	wantKind(t, ownedfile.MkdirAll(filepath.Join(top, "file")), backend.ErrInvalid)
	wantKind(t, ownedfile.MkdirAll(filepath.Join(top, "file", "x")), backend.ErrInvalid)
	wantKind(t, ownedfile.MkdirAll(""), backend.ErrInvalid)
	wantKind(t, ownedfile.CheckDir(filepath.Join(top, "no")), backend.ErrNotFound)
}

func TestSystemErrorsHaveKinds(t *testing.T) {
	t.Parallel()
	long := filepath.Join(t.TempDir(), strings.Repeat("x", 300))
	_, err := ownedfile.Open(long, os.O_RDONLY)
	wantKind(t, err, backend.ErrInvalid)
	err = ownedfile.Wrap("write", &os.PathError{Op: "write", Path: "p", Err: syscall.ENOSPC})
	wantKind(t, err, backend.ErrUnavailable)
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("cause lost: %v", err)
	}
}
