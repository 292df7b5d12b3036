package persist

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

func TestProbesOfTheDeadAreRemoved(t *testing.T) {
	t.Parallel()
	for name, use := range map[string]func(p *Persistence) error{
		"Verify": func(p *Persistence) error { return p.Verify(t.Context()) },
		"Save":   func(p *Persistence) error { return p.Save(t.Context(), []byte("x")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := tempPath(t)
			p, _ := onDisk(t, path)
			old, fresh := backend.PathFor(path, newProbeKey()), backend.PathFor(path, newProbeKey())
			kept := []string{
				fresh, path, backend.PathFor(path, "probe-x"), backend.PathFor(path, "a user"),
				old + ".lockfile", path + ".probe-" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
			}
			for _, file := range append(kept, old) {
				if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
					t.Fatal(err)
				}
				if at := time.Now().Add(-2 * probeLife); file != fresh {
					if err := os.Chtimes(file, at, at); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := os.Mkdir(backend.PathFor(path, newProbeKey()), 0o700); err != nil { // no file
				t.Fatal(err)
			}
			if err := use(p); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(old); !os.IsNotExist(err) {
				t.Errorf("it is still there: %v", err)
			}
			for _, file := range kept {
				if _, err := os.Stat(file); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// The name that is looked for is the name that a killed Verify leaves.
func TestProbesOfTheKilledAreRecognised(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, s := onDisk(t, path)
	var left []string
	s.onLoad = func(context.Context) (err error) { left, err = filepath.Glob(path + ".key-probe-*"); return err }
	for range 50 {
		if err := p.Verify(t.Context()); err != nil || len(left) != 1 || !probeName().MatchString(left[0]) {
			t.Fatalf("%v, %v", left, err)
		}
	}
}
