package extensions_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/testproc"
	"github.com/msalext/msalext/plugins/file"
)

// chooseChild does what a program does at its first start, once its input ends.
func chooseChild(candidate, where string) error {
	fmt.Println("ready")
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	ctx := context.Background()
	missing := &vault{err: &backend.Error{Kind: backend.ErrUnavailable, Err: errors.New("no bus")}}
	p, err := extensions.BuildPersistence(ctx, where, &extensions.Options{
		Candidates: []string{candidate}, FallbackToPlaintext: true, InProcess: []backend.Backend{missing, sealed{}, file.Backend()},
	})
	if err != nil {
		return err
	}
	fmt.Println(p.Backend())
	return errors.Join(p.Save(ctx, []byte("data")), p.Close())
}

// Eight processes that start at once at a fresh location all get the same
// store, and leave nothing there but the cache and what belongs to it.
func TestManyFirstStartsAtOnce(t *testing.T) {
	t.Parallel()
	for candidate, want := range map[string]struct {
		backend string
		left    []string
	}{
		"vault":  {"file", []string{"cache", "cache.lockqueue", "cache.msalext"}}, // which isn't there
		"file":   {"file", []string{"cache", "cache.lockqueue", "cache.msalext"}},
		"sealed": {"sealed", []string{"cache", "cache.lockqueue", "cache.msalext", "cache.sealed"}},
	} {
		for round := range 3 {
			t.Run(fmt.Sprintf("%s/%d", candidate, round), func(t *testing.T) {
				where := location(t)
				for _, line := range startTogether(t, 8, candidate, where) {
					if line != want.backend+"\n" {
						t.Errorf("chose %s", line)
					}
				}
				entries, err := os.ReadDir(filepath.Dir(where))
				var left []string
				for _, e := range entries {
					left = append(left, e.Name())
				}
				if d := cmp.Diff(want.left, left); d != "" {
					t.Error(err, d)
				}
			})
		}
	}
}

// startTogether runs processes that all wait for their input to end, which is
// one pipe, and returns what each printed then.
func startTogether(t *testing.T, n int, args ...string) []string {
	t.Helper()
	gate, open, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer gate.Close()
	defer open.Close()
	ends := make([]func() (string, error), n)
	for i := range n {
		cmd := testproc.Command(t, "choose", args...)
		cmd.Stdin, cmd.Stderr = gate, os.Stderr
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(out)
		if _, err := lines.ReadString('\n'); err != nil { // "ready"
			t.Fatal(err)
		}
		ends[i] = func() (string, error) {
			rest, err := io.ReadAll(lines)
			return string(rest), errors.Join(err, cmd.Wait())
		}
	}
	if err := open.Close(); err != nil {
		t.Fatal(err)
	}
	said := make([]string, n)
	for i, end := range ends {
		if said[i], err = end(); err != nil {
			t.Error(err)
		}
	}
	return said
}

// roomlessChild chooses among candidates on a disk that is full.
func roomlessChild(plugin, dir, first string) (err error) {
	if err := testproc.MountTmpfs(dir, "64k,nr_inodes=2"); err != nil {
		return err
	}
	if err := os.WriteFile(dir+"/ballast", nil, 0o600); err != nil {
		return err
	}
	if err := os.Mkdir(dir+"/app", 0o700); !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("the disk isn't full: %w", err)
	}
	host := hostWith(plugin)
	defer func() { err = errors.Join(err, host.Close()) }()
	missing := &vault{err: &backend.Error{Kind: backend.ErrUnavailable, Err: errors.New("no bus")}}
	elsewhere := &elsewhereBackend{}
	_, err = extensions.BuildPersistence(context.Background(), dir+"/app/cache", &extensions.Options{
		Candidates: []string{first, "elsewhere"}, Host: host, InProcess: []backend.Backend{missing, elsewhere},
	})
	if elsewhere.opened {
		return fmt.Errorf("stepped down because of a full disk: %v", err)
	}
	fmt.Println(err)
	return nil
}

// elsewhereBackend would work on a full disk.
type elsewhereBackend struct {
	vault
	opened bool
}

func (*elsewhereBackend) Describe() backend.Description {
	return backend.Description{Name: "elsewhere"}
}

func (b *elsewhereBackend) Open(ctx context.Context, c backend.Config) (backend.Store, error) {
	b.opened = true
	return b.vault.Open(ctx, c)
}

func TestFullDiskDoesNotStepDown(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"file", "vault"} {
		t.Run(first, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(testproc.SharedDir(t), "full")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			out := testproc.Run(t, testproc.WithOwnMounts(testproc.Command(t, "roomless", filePlugin(t), dir, first)))
			if !strings.Contains(out, "no space left") || !strings.Contains(out, "free some disk space") {
				t.Errorf("got %s", out)
			}
		})
	}
}
