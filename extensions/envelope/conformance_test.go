package envelope_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/backendtest"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/extensions/envelope"
	"github.com/msalext/msalext/internal/testproc"
	"github.com/msalext/msalext/plugins/file"
)

func TestMain(m *testing.M) { testproc.Main(m, children) }

var children = testproc.Children{
	"conformance": func(args []string) error { return workFor(args[0], args[1]) },
	"first start": func(args []string) error { return firstStart(args[0], args[1]) },
}

// wrapping is a backend whose stores are enveloped.
type wrapping struct {
	backend.Backend
	keys func(c backend.Config) envelope.Keys
}

func (w wrapping) Open(ctx context.Context, c backend.Config) (backend.Store, error) {
	s, err := w.Backend.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	return envelope.Wrap(s, w.keys(c), &envelope.Options{StoreID: "conformance"}), nil
}

// keyFile is beside the data's directory.
func keyFile(c backend.Config) envelope.Keys {
	return &envelope.File{Path: filepath.Dir(c.Path) + ".keys/key", Create: true}
}

func fixed(backend.Config) envelope.Keys { return envelope.Fixed(key("one"), key("two")) }

// locked also opens stores that wait for Unlock.
type locked struct {
	*backendtest.Opener
	locked wrapping
}

func (l locked) OpenLocked(t backendtest.T) backend.Store {
	s, err := l.locked.Open(t.Context(), backend.Config{Path: "locked"})
	if err != nil {
		t.Fatalf("%v", err)
	}
	return s
}

func TestConformanceOverMemory(t *testing.T) {
	t.Parallel()
	for name, inner := range map[string]*memory.Backend{"unlimited": {}, "small": {MaxBytes: 64 << 10}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backendtest.Run(t, locked{
				&backendtest.Opener{Backend: wrapping{inner, fixed}},
				wrapping{&memory.Backend{Locked: true}, fixed},
			})
		})
	}
}

// harness lets other processes use the files.
type harness struct {
	*backendtest.Opener
	t *testing.T
}

func (h harness) Work(_ context.Context, job string) error {
	if out, err := testproc.Command(h.t, "conformance", h.Config().Path, job).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

func workFor(path, job string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := wrapping{file.Backend(), keyFile}.Open(ctx, backend.Config{Location: path, Path: path})
	if err != nil {
		return err
	}
	return errors.Join(backendtest.Work(ctx, s, job), s.Close())
}

func TestConformanceOverFile(t *testing.T) {
	t.Parallel()
	backendtest.Run(t, harness{&backendtest.Opener{Backend: wrapping{file.Backend(), keyFile}, NewConfig: func(t backendtest.T) backend.Config {
		dir := t.TempDir() + "/data"
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatalf("%v", err)
		}
		return backend.Config{Location: dir + "/cache", Path: dir + "/cache"}
	}}, t})
}

// workFirst stores a program's first item.
func workFirst(c backend.Config, keys envelope.Keys) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := file.Backend().Open(ctx, c)
	if err != nil {
		return err
	}
	e := envelope.Wrap(s, keys, nil)
	_, err = e.Save(ctx, "", []byte("data"), backend.None)
	return errors.Join(err, e.Close())
}
