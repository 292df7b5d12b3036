// Wine 8 doesn't give SQLite's library its memory: VirtualAlloc2 has no
// placeholders there. On a real Windows these tests run with the tag.

//go:build !windows || windows_sqlite

package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/backendtest"
	"github.com/msalext/msalext/internal/testproc"
)

func init() {
	children["work"] = func(args []string) error { return work(args[0], args[1]) }
}

func parseJob(text string) (j job, err error) {
	err = json.Unmarshal([]byte(text), &j)
	return j, err
}

func work(text, work string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	j, err := parseJob(text)
	if err != nil {
		return err
	}
	s, err := j.open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(backendtest.Work(ctx, s, work), s.Close())
}

// harness lets other processes use the database.
type harness struct {
	*backendtest.Opener
	t    *testing.T
	mode mode
}

func (h harness) Work(ctx context.Context, work string) error {
	cmd := testproc.Command(h.t, "work", job{h.mode, h.Config().Path}.String(), work)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return ctx.Err()
}

func conformance(t *testing.T, m mode, b backend.Backend) {
	backendtest.Run(t, harness{&backendtest.Opener{Backend: b, NewConfig: func(t backendtest.T) backend.Config {
		return m.config(filepath.Join(t.TempDir(), "cache"))
	}}, t, m})
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for name, m := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conformance(t, m, m.backend())
		})
	}
}

func save(t *testing.T, s backend.Store, key, data string, base backend.Version) backend.Version {
	t.Helper()
	v, err := s.Save(t.Context(), key, []byte(data), base)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func holds(t *testing.T, s backend.Store, key, want string) {
	t.Helper()
	if blob, err := s.Load(t.Context(), key, backend.None); err != nil || string(blob.Data) != want {
		t.Errorf("%q: %.40q, %v; want %.40q", key, blob.Data, err, want)
	}
}
