package sqlite

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/testproc"
)

func init() {
	children["plant"] = func(args []string) error { return plant(args[0], args[1], args[2]) }
}

// An enemy is another user who may create files in the database's directory and
// rename what is there, as members of a group may where it can be written by the
// group.
type enemy struct {
	kind    string
	theirs  bool // what the link leads to is the enemy's, who wants to read what is written there
	planted bool // there is no link: the file itself is the enemy's
}

var enemies = []enemy{
	{kind: "link to a file of ours"},
	{kind: "link to a file of theirs", theirs: true},
	{kind: "file of theirs", theirs: true, planted: true},
}

// outsiders is what lies outside, or is the enemy's. Beginning with a zero, as a
// journal does that isn't needed any more, it stays until SQLite needs one.
var outsiders = bytes.Repeat([]byte("\x00outside"), 1000)

// plant is what the enemy does, in a process of their own.
func plant(kind, path, target string) error {
	if os.Geteuid() == 0 {
		return errors.New("the enemy is root")
	}
	if err := os.Rename(path, path+".away"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	switch kind {
	case enemies[0].kind:
		if f, err := os.Open(target); !errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("the enemy can open %s by themselves: %v, %w", target, f, err)
		}
	case enemies[2].kind:
		return errors.Join(os.WriteFile(path, outsiders, 0), os.Chmod(path, 0o666))
	}
	return os.Symlink(target, path)
}

// battlefield is a directory of ours that the enemy can write, and outside of it
// a file that a link may lead to.
type battlefield struct {
	enemy
	path, target string
}

func newBattlefield(t *testing.T, e enemy) *battlefield {
	t.Helper()
	dir, elsewhere := testproc.SharedDir(t), testproc.SharedDir(t)
	b := &battlefield{e, filepath.Join(dir, "cache"), filepath.Join(elsewhere, "outside")}
	errs := []error{
		os.WriteFile(b.target, outsiders, 0o600),
		os.Chown(dir, 0, testproc.Nobody), os.Chmod(dir, 0o770),
	}
	if e.theirs {
		errs = append(errs, os.Chown(b.target, testproc.Nobody, testproc.Nobody), os.Chmod(b.target, 0o666))
	}
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	return b
}

// attack has the enemy plant something, and returns what tells whether it was
// opened, read or written since.
func (b *battlefield) attack(t *testing.T, suffix string) (events func() int) {
	t.Helper()
	testproc.Run(t, testproc.AsNobody(testproc.Command(t, "plant", b.kind, b.path+suffix, b.target)))
	mask := uint32(unix.IN_OPEN | unix.IN_ACCESS | unix.IN_MODIFY)
	if b.planted {
		b.target = b.path + suffix
		mask &^= unix.IN_OPEN // whose it is shows once it is open
	}
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err == nil {
		_, err = unix.InotifyAddWatch(fd, b.target, mask)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	return func() (n int) {
		buf := make([]byte, 1<<16)
		size, err := unix.Read(fd, buf)
		if err != nil && !errors.Is(err, unix.EAGAIN) {
			t.Error(err)
		}
		for at := 0; at < size; {
			if binary.NativeEndian.Uint32(buf[at+4:]) != unix.IN_IGNORED { // which only says that it was removed
				n++
			}
			at += unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(buf[at+12:]))
		}
		return n
	}
}

const loot = "canary-refresh-token"

// TestEnemyInTheDirectory: whatever another user puts in the place of a file
// that belongs to the database, before or while it is used, is neither read nor
// written, and neither is what it leads to. An SQLite that doesn't look is led
// there by each of them, and writes tokens for the enemy to read.
func TestEnemyInTheDirectory(t *testing.T) {
	t.Parallel()
	for name, m := range modes {
		for _, suffix := range []string{"-journal", "-wal", "-shm", ".lockqueue"} {
			used := suffix == ".lockqueue" || (suffix == "-journal") == (m.Cipher != "" || m.Rollback)
			if !used && name != "plain" && name != "adiantum" {
				continue
			}
			for _, e := range enemies {
				t.Run(name+suffix+", "+e.kind, func(t *testing.T) {
					t.Parallel()
					t.Run("before", func(t *testing.T) { attacked(t, m, suffix, e, false) })
					t.Run("while it is used", func(t *testing.T) { attacked(t, m, suffix, e, true) })
					if used && suffix != ".lockqueue" { // SQLite has none
						t.Run("unguarded", func(t *testing.T) { unguarded(t, m, suffix, e) })
					}
				})
			}
		}
	}
}

func attacked(t *testing.T, m mode, suffix string, e enemy, open bool) {
	b := newBattlefield(t, e)
	filled(t, m, b.path)
	var s *store
	if open {
		s = m.store(t, b.path)
		holds(t, s, "k", "kept")
	}
	events := b.attack(t, suffix)
	before, err := os.ReadFile(b.target)
	if err != nil {
		t.Fatal(err)
	}
	events()
	if !open {
		_, err := job{m, b.path}.open(t.Context())
		wants(t, "open", err, backend.ErrDenied)
	} else {
		used(t, s)
	}
	if n := events(); n > 0 {
		t.Errorf("it was read or written %d times", n)
	}
	switch after, err := os.ReadFile(b.target); {
	case b.planted && open && errors.Is(err, fs.ErrNotExist): // it had our name, and went with the others
	case err != nil || !bytes.Equal(after, before):
		t.Errorf("what was outside is %d bytes and not %d, %v", len(after), len(before), err)
	}
	if err := errors.Join(removed(b.path+suffix), removed(b.path+suffix+".away")); err != nil {
		t.Fatal(err)
	}
	again := m.store(t, b.path)
	if _, err := again.Load(t.Context(), "k", backend.None); err != nil {
		t.Errorf("once it is gone: %v", err)
	}
	if err := again.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// used does all that a store does, by connections that are open and by new ones.
// Refused or not, it may go nowhere else.
func used(t *testing.T, s *store) {
	t.Helper()
	for range 3 {
		blob, err := s.Load(t.Context(), "k", backend.None)
		if err == nil {
			_, err = s.Save(t.Context(), "k", bytes.Repeat([]byte(loot), 5000), blob.Version)
		}
		if err != nil && !errors.Is(err, backend.ErrDenied) {
			t.Errorf("use: %v", err)
		}
		if v, err := s.Save(t.Context(), "new", []byte(loot), backend.None); err == nil {
			_ = s.Delete(t.Context(), "new", v)
		}
		for _, err := range s.Keys(t.Context(), "") {
			if err != nil && !errors.Is(err, backend.ErrDenied) {
				t.Errorf("list: %v", err)
			}
		}
		if c := s.pool.pop(); c != nil {
			if err := c.close(); err != nil {
				t.Logf("close: %v", err)
			}
		}
	}
	if err := s.Close(); err != nil {
		t.Logf("close: %v", err)
	}
}

func removed(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// unguarded makes a change with an SQLite that follows links and takes files of
// others, as one does that opens by name.
func unguarded(t *testing.T, m mode, suffix string, e enemy) {
	b := newBattlefield(t, e)
	filled(t, m, b.path)
	events := b.attack(t, suffix)
	before, err := os.ReadFile(b.target)
	if err != nil {
		t.Fatal(err)
	}
	events()
	naive(t, m, b.path, func(change error) {
		after, err := os.ReadFile(b.target)
		switch {
		case err != nil:
			t.Error(err)
		case bytes.Equal(before, after) && events() == 0:
			t.Errorf("the test proves nothing: an SQLite that doesn't look goes nowhere either (%v)", change)
		case m.Cipher == "" && b.theirs && suffix != "-shm" && !bytes.Contains(after, []byte(loot)):
			t.Errorf("the test proves nothing: the enemy reads no token (%v)", change)
		}
	})
}

// A file that the enemy puts there between the look at the name and the opening
// is refused for what it is.
func TestEnemyIsFaster(t *testing.T) {
	t.Parallel()
	own := filepath.Join(t.TempDir(), "own")
	if err := os.WriteFile(own, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]func(path string) error{
		"another's":         func(path string) error { return os.Chown(path, testproc.Nobody, testproc.Nobody) },
		"writable":          func(path string) error { return os.Chmod(path, 0o606) },
		"two names":         func(path string) error { return os.Link(path, path+"2") },
		"not a file at all": func(path string) error { return errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o600)) },
		"a user's own":      func(string) error { return nil },
	}
	for name, change := range tests {
		path := filepath.Join(t.TempDir(), "cache-wal")
		if err := errors.Join(os.WriteFile(path, nil, 0o600), change(path)); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		err = vetOpened(followed{f})
		if refused := errors.Is(err, backend.ErrDenied); refused == (name == "a user's own") {
			t.Errorf("%s: %v", name, err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := vetOpened(context.Background()); err == nil {
		t.Error("what can't be looked at isn't refused")
	}
}
