//go:build !windows || windows_sqlite

package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/internal/testproc"
)

func init() {
	children["change"] = func(args []string) error { return changeChild(args[0]) }
}

const (
	crowd      = 8
	perProcess = 100
)

// changeChild adds a line to the item, again and again. Its own number of lines
// is what is there when it begins.
func changeChild(text string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	j, err := parseJob(text)
	if err != nil {
		return err
	}
	s, err := j.open(ctx)
	if err != nil {
		return err
	}
	p := persist.New(name, s, j.Mode.config(j.Path), nil)
	for range perProcess {
		err = p.Update(ctx, func(old []byte) ([]byte, error) { return fmt.Appendf(old, "%d\n", bytes.Count(old, []byte("\n"))), nil })
		if err != nil {
			break
		}
	}
	return errors.Join(err, p.Close())
}

// Each change appends the number of changes before it. A change that was lost
// would make the last number too small, or one appear twice.
func TestProcessesLoseNothing(t *testing.T) {
	t.Parallel()
	for name, m := range modes {
		t.Run(name, func(t *testing.T) {
			path := cachePath(t)
			var running []*exec.Cmd
			for range crowd {
				cmd := testproc.Command(t, "change", job{m, path}.String())
				cmd.Stderr = new(strings.Builder)
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				running = append(running, cmd)
			}
			for _, cmd := range running {
				if err := cmd.Wait(); err != nil {
					t.Errorf("%v: %s", err, cmd.Stderr)
				}
			}
			blob, err := m.store(t, path).Load(t.Context(), "", backend.None)
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Fields(string(blob.Data))
			if len(lines) != crowd*perProcess {
				t.Errorf("%d of %d changes are kept", len(lines), crowd*perProcess)
			}
			for i, line := range lines {
				if line != strconv.Itoa(i) {
					t.Fatalf("line %d is %q", i, line)
				}
			}
		})
	}
}
