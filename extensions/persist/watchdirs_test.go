//go:build unix

package persist

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
)

func TestWatchSurvivesWhatHappensToItsDirectories(t *testing.T) {
	t.Parallel()
	put := func(path, data string) error {
		return errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(data), 0o600))
	}
	for _, c := range []struct {
		name string
		do   func(root, path string) error
	}{
		{"file", func(root, path string) error { return os.Remove(path) }},
		{"directory", func(root, path string) error { return os.RemoveAll(filepath.Dir(path)) }},
		{"two directories", func(root, path string) error { return os.RemoveAll(filepath.Dir(filepath.Dir(path))) }},
		{"directory moved", func(root, path string) error {
			return os.Rename(filepath.Dir(path), filepath.Join(root, "old"))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			path := filepath.Join(root, "a", "b", "cache")
			p, _ := onDisk(t, path) // creates the directory
			if err := os.RemoveAll(filepath.Join(root, "a")); err != nil {
				t.Fatal(err)
			}
			p.opening.store.pace.net = time.Hour // by notices alone
			ch := changes(t, p)
			for i := range 5 {
				data := fmt.Sprint("data ", i)
				if err := put(path, data); err != nil {
					t.Fatal(err)
				}
				until(t, ch, atomicfile.VersionOf([]byte(data)))
				if err := c.do(root, path); err != nil {
					t.Fatal(err)
				}
				until(t, ch, backend.None)
				if err := os.RemoveAll(filepath.Join(root, "old")); err != nil {
					t.Fatal(err)
				}
			}
			// And at once, without a pause between the steps.
			for i := range 20 {
				if err := errors.Join(put(path, "x"), c.do(root, path), os.RemoveAll(filepath.Join(root, "old")), put(path, fmt.Sprint("again ", i))); err != nil {
					t.Fatal(err)
				}
			}
			until(t, ch, atomicfile.VersionOf([]byte("again 19")))
		})
	}
}

// No notice tells that a directory further up was moved, or that a symbolic
// link leads elsewhere now: that shows at the next look.
func TestWatchLooksBesideNotices(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for name, content := range map[string]string{"one": "1", "two": "2"} {
		if err := errors.Join(os.MkdirAll(filepath.Join(root, name, "app"), 0o700), os.WriteFile(filepath.Join(root, name, "app", "cache"), []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(root, "link")
	if err := os.Symlink("one", link); err != nil {
		t.Fatal(err)
	}
	p, _ := onDisk(t, filepath.Join(link, "app", "cache"))
	p.opening.store.pace.net = 10 * time.Millisecond
	ch := changes(t, p)
	if err := errors.Join(os.Remove(link), os.Symlink("two", link)); err != nil {
		t.Fatal(err)
	}
	until(t, ch, atomicfile.VersionOf([]byte("2")))
	if err := errors.Join(os.Rename(filepath.Join(root, "two"), filepath.Join(root, "three")), os.Rename(filepath.Join(root, "one"), filepath.Join(root, "two"))); err != nil {
		t.Fatal(err)
	}
	until(t, ch, atomicfile.VersionOf([]byte("1")))
}
