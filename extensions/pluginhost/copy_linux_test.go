package pluginhost

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A copier is what systems do that execute by path only.
func copier(t *testing.T) (s surroundings, original string) {
	t.Helper()
	s = bare()
	cache := t.TempDir()
	s.cacheDir = func() string { return cache }
	original = filepath.Join(t.TempDir(), fileName("x"))
	replaced(t, original, "#!/bin/sh\necho good\n")
	return s, original
}

func checked(t *testing.T, path string) *program {
	t.Helper()
	p := opened(t, path)
	sum, err := p.hash()
	if err != nil {
		t.Fatal(err)
	}
	p.sha256 = sum
	return p
}

func TestCheckedCopy(t *testing.T) {
	t.Parallel()
	s, original := copier(t)
	p := checked(t, original)
	clone, err := s.checkedCopy(p)
	if err != nil {
		t.Fatal(err)
	}
	defer clone.Close()
	if clone.path != original || clone.run == original || clone.sha256 != p.sha256 {
		t.Errorf("the copy is %+v", clone)
	}
	if info, err := os.Stat(clone.run); err != nil || info.Mode() != 0o700 {
		t.Errorf("it is %v, %v", info.Mode(), err)
	}
	replaced(t, original, "#!/bin/sh\necho bad\n")
	if out, err := exec.Command(clone.run).Output(); string(out) != "good\n" || err != nil {
		t.Errorf("it says %q, %v", out, err)
	}
	if err := clone.unchanged(); err != nil {
		t.Errorf("the copy changed: %v", err)
	}
	again, err := s.checkedCopy(p)
	if err != nil || again.before != clone.before {
		t.Fatalf("it was copied again: %v", err)
	}
	again.Close()

	replaced(t, clone.run, "#!/bin/sh\necho bad\n") // by whoever has the user's rights
	if clone.unchanged() == nil {
		t.Error("that the copy changed isn't noticed")
	}
	third, err := s.checkedCopy(p)
	if err != nil {
		t.Fatal(err)
	}
	third.Close()
	if out, err := exec.Command(third.run).Output(); string(out) != "good\n" || err != nil {
		t.Errorf("made anew it says %q, %v", out, err)
	}
}

// TestCopyOfAnotherFile: what is copied may have been rewritten since its check.
func TestCopyOfAnotherFile(t *testing.T) {
	t.Parallel()
	s, original := copier(t)
	p := checked(t, original)
	if err := os.WriteFile(original, []byte("#!/bin/sh\necho evil\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if clone, err := s.checkedCopy(p); err == nil || !strings.Contains(err.Error(), "changed while it was being copied") {
		t.Errorf("it is %+v, %v", clone, err)
	}
}

// TestCopyWhereOthersWrite: a cache directory that isn't private is no place.
func TestCopyWhereOthersWrite(t *testing.T) {
	t.Parallel()
	s, original := copier(t)
	if err := os.Chmod(s.cacheDir(), 0o777); err != nil {
		t.Fatal(err)
	}
	if clone, err := s.checkedCopy(checked(t, original)); err == nil || !strings.Contains(err.Error(), "written by everyone") {
		t.Errorf("it is %+v, %v", clone, err)
	}
}

func TestOldCopiesGo(t *testing.T) {
	t.Parallel()
	s, original := copier(t)
	all := filepath.Join(s.cacheDir(), "msalext", "checked", "x")
	past := time.Now().Add(-2 * copyKept)
	for _, name := range []string{"old", "new"} {
		if err := os.MkdirAll(filepath.Join(all, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(filepath.Join(all, "old"), past, past); err != nil {
		t.Fatal(err)
	}
	clone, err := s.checkedCopy(checked(t, original))
	if err != nil {
		t.Fatal(err)
	}
	clone.Close()
	if entries, _ := os.ReadDir(all); len(entries) != 2 || exists(filepath.Join(all, "old")) {
		t.Errorf("left: %v", entries)
	}
}
