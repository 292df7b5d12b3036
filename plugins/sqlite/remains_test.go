//go:build !windows || windows_sqlite

package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/canary"
)

// secretly is content with a marker in all its parts.
func secretly(marker string, size int) string {
	return strings.Repeat(marker+"|", size/(len(marker)+1)+1)
}

// where lists the files of a directory that show a marker.
func where(t *testing.T, dir, marker string) (found []string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if len(canary.Find(data, marker)) > 0 {
			found = append(found, f.Name())
		}
	}
	return found
}

// Neither content nor keys show in what an encrypted database writes, while it
// is in use, after a process was killed, and when it is closed. The same
// changes of a plain one show.
func TestNothingShowsWhenEncrypted(t *testing.T) {
	t.Parallel()
	const content, key = "canary-content-8d1f", "canary-key-77aa"
	for name, m := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := cachePath(t)
			s := m.store(t, path)
			look := func(when string) {
				for _, marker := range []string{content, key, testKey} {
					found := where(t, filepath.Dir(path), marker)
					if m.Cipher != "" && len(found) > 0 {
						t.Errorf("%s: %s shows in %v", when, marker, found)
					}
					if m.Cipher == "" && marker != testKey && len(found) == 0 {
						t.Errorf("%s: the test proves nothing: %s doesn't show without encryption either", when, marker)
					}
				}
			}
			v := backend.None
			for _, size := range []int{10, 1000, 100_000, 2_000_000} {
				v = save(t, s, key, secretly(content, size), v)
				look("in use")
			}
			for i := range 50 { // more than one checkpoint
				save(t, s, fmt.Sprint(key, i), secretly(content, 30_000), backend.None)
			}
			look("after checkpoints")
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			look("closed")
		})
	}
}

// What was deleted or overwritten is gone from a plain database: at once after
// Delete, and after a checkpoint otherwise.
func TestDeletedIsGone(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"plain", "rollback"} {
		for _, size := range []int{20, 1000, 5000, 50_000, 1_000_000} {
			t.Run(fmt.Sprint(name, size), func(t *testing.T) {
				t.Parallel()
				path := cachePath(t)
				s := modes[name].store(t, path)
				gone := func(what, marker string) {
					if found := where(t, filepath.Dir(path), marker); len(found) > 0 {
						t.Errorf("%s: it shows in %v", what, found)
					}
				}
				save(t, s, "stays", secretly("canary-stays", 3000), backend.None)
				v := save(t, s, "k", secretly("canary-first", size), backend.None)
				if len(where(t, filepath.Dir(path), "canary-first")) == 0 {
					t.Fatal("the test proves nothing: it isn't there to begin with")
				}
				v = save(t, s, "k", secretly("canary-second", size/2), v)
				s.clear(t.Context())
				gone("overwritten, after a checkpoint", "canary-first")
				if err := s.Delete(t.Context(), "k", v); err != nil {
					t.Fatal(err)
				}
				gone("deleted", "canary-second")

				save(t, s, "short", secretly("canary-short", size), backend.None)
				if err := s.Expire(t.Context(), "short", time.Nanosecond); err != nil {
					t.Fatal(err)
				}
				save(t, s, "another", "x", backend.None) // any change purges
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				gone("expired and closed", "canary-short")
				if found := where(t, filepath.Dir(path), "canary-stays"); len(found) != 1 {
					t.Errorf("the test proves nothing: what stays is in %v", found)
				}
			})
		}
	}
}

// An item that has expired is also removed by whoever asks for it.
func TestLookingPurges(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	s := modes["plain"].store(t, path)
	save(t, s, "short", "x", backend.None)
	if err := s.Expire(t.Context(), "short", time.Nanosecond); err != nil {
		t.Fatal(err)
	}
	_, _ = s.Load(t.Context(), "short", backend.None)
	err := s.pool.use(t.Context(), existing, func(c *conn) error {
		n, err := c.number("SELECT count(*) FROM item")
		if n != 0 {
			t.Errorf("%d rows are left", n)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
