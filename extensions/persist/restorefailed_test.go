package persist

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/plugins/file"
)

// missingCopy is the name of a copy of the main item that isn't there.
func missingCopy(p *Persistence) string {
	const aside = asideMark + "20250101T000000Z"
	if p.opening.store.info.Stamp == backend.StampData {
		return p.Location() + aside
	}
	return aside
}

// A location that holds nothing isn't this backend's because somebody asked for
// what isn't there.
func TestRestoreOfNothingRecordsNothing(t *testing.T) {
	t.Parallel()
	for kind, open := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			p := open(t)
			if _, err := p.Restore(t.Context(), missingCopy(p)); !errors.Is(err, backend.ErrNotFound) {
				t.Errorf("%v", err)
			}
			files := slices.DeleteFunc(filesIn(t, filepath.Dir(p.Location())), func(name string) bool { return strings.Contains(name, ".lock") })
			if len(files) > 0 {
				t.Errorf("it left %q", files)
			}
		})
	}
}

// A Restore that failed is no write: nobody is told of one.
func TestRestoreThatFailedIsNoWrite(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"file", "keyring"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			p := kinds[kind](t)
			save(t, p, "one")
			last := time.Now().Add(-time.Hour).Truncate(time.Second)
			if err := os.Chtimes(p.Location(), last, last); err != nil { // as another program's write
				t.Fatal(err)
			}
			if _, err := p.Restore(t.Context(), missingCopy(p)); !errors.Is(err, backend.ErrNotFound) {
				t.Errorf("%v", err)
			}
			if now, err := p.LastWrite(t.Context()); err != nil || now.By != "" || !now.At.Equal(last) {
				t.Errorf("now %+v, %v", now, err)
			}
		})
	}
}

// What can't be renamed leaves the item, and no copy of it.
func TestRestoreOfAFileThatChangesMeanwhile(t *testing.T) {
	t.Parallel()
	p := ready(t, "file", file.Backend(), tempPath(t))
	save(t, p, rubbish)
	at := moveAside(t, p)
	save(t, p, "now")
	s := p.opening.store
	changed := errors.New("changed")
	if _, wrote, err := s.restoreFile(t.Context(), "", at, func() error { return changed }); wrote || !errors.Is(err, changed) {
		t.Errorf("wrote %t, %v", wrote, err)
	}
	_, wrote, err := s.restoreFile(t.Context(), "", at, func() error { return os.WriteFile(p.Location(), []byte("another"), 0o600) })
	if wrote || !errors.Is(err, backend.ErrConflict) {
		t.Errorf("wrote %t, %v", wrote, err)
	}
	if got := load(t, p); got != "another" || len(quarantined(t, p)) != 1 {
		t.Errorf("%q, %+v", got, quarantined(t, p))
	}
}
