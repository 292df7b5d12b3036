package sqlite

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/testproc"
)

// children are filled by the files whose tests use them.
var children = testproc.Children{}

func TestMain(m *testing.M) {
	// The race detector would keep each process waiting for a second at its end.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	testproc.Main(m, children)
}

var (
	testKey  = strings.Repeat("0123456789abcdef", 4)
	wrongKey = strings.Repeat("fedcba9876543210", 4)
)

// mode is a way to open a database.
type mode struct {
	Cipher   string
	Rollback bool // as on a network file system
}

var modes = map[string]mode{
	"plain":    {},
	"adiantum": {Cipher: "adiantum"},
	"xts":      {Cipher: "xts"},
	"rollback": {Rollback: true},
}

func (m mode) backend() backend.Backend {
	b := sqliteBackend{usual}
	if m.Rollback {
		b.limits.shared = func(string) bool { return false }
	}
	return b
}

func (m mode) config(path string) backend.Config {
	c := backend.Config{Location: path, Path: path}
	if m.Cipher != "" {
		c.Settings = backend.Settings{"cipher": m.Cipher}
		c.Secrets = map[string]backend.Secret{"key": backend.Secret(testKey)}
	}
	return c
}

// job is what a process that this test binary becomes needs to know.
type job struct {
	Mode mode
	Path string
}

func (j job) String() string {
	text, err := json.Marshal(j)
	if err != nil {
		panic(err) // neither field can fail
	}
	return string(text)
}

func (j job) open(ctx context.Context) (*store, error) {
	s, err := j.Mode.backend().Open(ctx, j.Mode.config(j.Path))
	if err != nil {
		return nil, err
	}
	return s.(*store), nil
}

// store opens a database of a mode in a directory of the test, or at a path.
func (m mode) store(t *testing.T, path string) *store {
	t.Helper()
	s, err := job{m, path}.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func cachePath(t *testing.T) string { return filepath.Join(t.TempDir(), "cache") }

// wants expects a kind of error that names the backend and gives a hint, and
// shows no secret.
func wants(t *testing.T, what string, err, kind error) {
	t.Helper()
	e := (*backend.Error)(nil)
	if !errors.Is(err, kind) || !errors.As(err, &e) || e.Backend != name || e.Hint == "" {
		t.Errorf("%s: %#v, want %v with a hint", what, err, kind)
		return
	}
	for _, secret := range []string{testKey, wrongKey, hex.EncodeToString([]byte(testKey))} {
		if strings.Contains(err.Error(), secret[:8]) {
			t.Errorf("%s: a key shows in %v", what, err)
		}
	}
}
