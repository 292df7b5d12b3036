package persist

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/plugins/file"
)

// What others put where a copy's key is kept is neither waited for nor followed,
// and hides no other copy.
func TestQuarantinedBesidePlantedNames(t *testing.T) {
	t.Parallel()
	const aside = asideMark + "20250101T000000Z"
	p := ready(t, "file", file.Backend(), tempPath(t))
	save(t, p, rubbish)
	at := moveAside(t, p)
	outside := filepath.Join(t.TempDir(), "x")
	var planted []string
	for name, plant := range map[string]func(key, path string) error{
		"pipe": func(_, path string) error { return syscall.Mkfifo(path, 0o666) },
		"link": func(key, path string) error {
			return errors.Join(os.WriteFile(outside, []byte(key), 0o644), os.Symlink(outside, path), os.Lchown(path, 65534, 65534))
		},
		"foreign": func(key, path string) error {
			return errors.Join(os.WriteFile(path, []byte(key), 0o644), os.Chown(path, 65534, 65534))
		},
	} {
		key := strings.Repeat(name, 50)
		item := backend.PathFor(p.Location(), key)
		litter(t, item+aside)
		if err := plant(key, item+nameSuffix); err != nil {
			t.Fatal(err)
		}
		if name != "pipe" {
			if data, err := os.ReadFile(item + nameSuffix); err != nil || string(data) != key {
				t.Fatalf("%s can't be read: %v", name, err)
			}
		}
		planted = append(planted, filepath.Base(item))
	}
	type answer struct {
		all []Quarantined
		err error
	}
	answered := make(chan answer, 1)
	go func() {
		all, err := p.Quarantined(t.Context())
		answered <- answer{all, err}
	}()
	select {
	case a := <-answered:
		if !errors.Is(a.err, backend.ErrCorrupt) || len(a.all) != 1 || a.all[0].Name != at {
			t.Errorf("%+v, %v", a.all, a.err)
		}
		for _, name := range planted {
			if a.err == nil || !strings.Contains(a.err.Error(), name) {
				t.Errorf("%s isn't in %v", name, a.err)
			}
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it waits for the pipe")
	}
}
