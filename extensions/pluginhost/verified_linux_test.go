package pluginhost

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend/atomicfile"
)

// aged is a binary whose last change lies back: the system's own shell.
const aged = "/bin/sh"

func TestVerifiedHashIsRemembered(t *testing.T) {
	t.Parallel()
	s := bare()
	cache := t.TempDir()
	s.cacheDir = func() string { return cache }
	p := opened(t, aged)
	sum, err := s.sum(p)
	if err != nil || len(sum) != 64 {
		t.Fatal(sum, err)
	}
	forge(t, s)
	if again, err := s.sum(p); again != strings.Repeat("0", 64) || err != nil {
		t.Errorf("the file was read again: %s, %v", again, err)
	}
	if info, err := os.Stat(s.verifiedPath()); err != nil || info.Mode() != 0o600 {
		t.Errorf("it is %v, %v", info.Mode(), err)
	}
	s.elevated = true
	if again, err := s.sum(p); again != sum || err != nil {
		t.Errorf("elevated, the user's memory decided: %s, %v", again, err)
	}
}

// forge makes every hash that is remembered 0.
func forge(t *testing.T, s surroundings) {
	t.Helper()
	all, version := remembered(s.verifiedPath())
	if len(all) == 0 {
		t.Fatal("nothing is remembered")
	}
	for i := range all {
		all[i].SHA256 = strings.Repeat("0", 64)
	}
	data, err := json.Marshal(all)
	if err == nil {
		_, err = atomicfile.Write(t.Context(), s.verifiedPath(), data, version)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func opened(t *testing.T, path string) *program {
	t.Helper()
	p, err := open(candidate{name: "x", path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// TestAnyChangeIsNoticed: also where the size and the modification time are put
// back, which anybody can who can write the file.
func TestAnyChangeIsNoticed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), fileName("x"))
	past := time.Now().Add(-time.Hour)
	write := func(text string) string {
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, past, past); err != nil {
			t.Fatal(err)
		}
		before, _ := opened(t, path).mark()
		return before
	}
	first := write("#!/bin/sh\n: one\n")
	eventually(t, "the file system's clock goes on", func() bool { return write("#!/bin/sh\n: two\n") != first })
	if info, err := os.Stat(path); err != nil || !info.ModTime().Equal(past) || info.Size() != 16 {
		t.Errorf("it has %v, %v", info, err)
	}
}

// TestFreshFileIsReadAgain: within a tick of the clock a second change would go
// unnoticed.
func TestFreshFileIsReadAgain(t *testing.T) {
	t.Parallel()
	s := bare()
	cache := t.TempDir()
	s.cacheDir = func() string { return cache }
	path := filepath.Join(t.TempDir(), fileName("x"))
	replaced(t, path, "#!/bin/sh\n")
	if err := os.Chtimes(path, time.Unix(1, 0), time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.sum(opened(t, path)); err != nil {
		t.Fatal(err)
	}
	if all, _ := remembered(s.verifiedPath()); len(all) > 0 {
		t.Errorf("remembered: %+v", all)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	s := bare()
	cache := t.TempDir()
	s.cacheDir = func() string { return cache }
	var all []verification
	for range 3 * verifiedMost {
		all = append(all, verification{Mark: "some"})
	}
	_, version := remembered(s.verifiedPath())
	remember(s.verifiedPath(), all, version)
	if _, err := s.sum(opened(t, aged)); err != nil {
		t.Fatal(err)
	}
	if all, _ = remembered(s.verifiedPath()); len(all) != verifiedMost || all[verifiedMost-1].Mark == "some" {
		t.Errorf("%d are remembered", len(all))
	}
	if err := os.WriteFile(s.verifiedPath(), []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	if sum, err := s.sum(opened(t, aged)); len(sum) != 64 || err != nil {
		t.Errorf("with a damaged memory: %s, %v", sum, err)
	}
	if all, _ = remembered(s.verifiedPath()); len(all) != 1 {
		t.Errorf("%d are remembered", len(all))
	}
}
