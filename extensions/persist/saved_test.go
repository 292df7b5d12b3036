package persist

import (
	"errors"
	"os"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/ownedfile"
)

func TestSavesInARowLoadOnce(t *testing.T) {
	t.Parallel()
	p, s := onDisk(t, tempPath(t))
	save(t, p, "one")
	before, _ := s.counts()
	save(t, p, "two")
	save(t, p, "three")
	if after, saves := s.counts(); after != before || saves != 3 {
		t.Errorf("%d loads and %d saves, want none and 3", after-before, saves)
	}
	save(t, p, "three")
	if _, saves := s.counts(); saves != 3 {
		t.Error("equal bytes were written")
	}
	if err := p.Save(t.Context(), []byte{}); !errors.Is(err, backend.ErrInvalid) {
		t.Errorf("nothing to save: %v", err)
	}
	if got := load(t, p); got != "three" {
		t.Errorf("stored: %q", got)
	}
}

// Save replaces whatever there is, also what it didn't see coming.
func TestSaveReplacesAHiddenWrite(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, _ := onDisk(t, path)
	save(t, p, "one")
	if err := os.WriteFile(path, []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	pretend(t, p, path)
	save(t, p, "two")
	if got := load(t, p); got != "two" {
		t.Errorf("stored: %q", got)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	save(t, p, "three")
	if got := load(t, p); got != "three" {
		t.Errorf("stored: %q", got)
	}
}

// pretend makes the Persistence take the file for what it left there: as if
// size, times and inode were the same.
func pretend(t *testing.T, p *Persistence, path string) {
	t.Helper()
	stamp, err := ownedfile.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	s := p.opened()
	it, known := s.saved.items[p.key]
	if !known || it.from.stamp == (ownedfile.Stamp{}) {
		t.Fatal("the test proves nothing: Save doesn't go by the file")
	}
	it.from.stamp = stamp
	s.saved.items[p.key] = it
}

func TestSavedIsBounded(t *testing.T) {
	t.Parallel()
	var s saved
	for i := range 3 * savedMost {
		s.after(string(rune(i)), []byte("data"), basis{blob: backend.Blob{Version: "v"}})
		if len(s.items) > savedMost {
			t.Fatalf("%d items are remembered", len(s.items))
		}
	}
}
