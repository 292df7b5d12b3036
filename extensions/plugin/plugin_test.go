package plugin

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/internal/selfplugin"
	"github.com/msalext/msalext/internal/wire"
)

// modeEnv tells this test binary to be something else than a test.
const modeEnv = "MSALEXT_SDK_TEST"

// patience is ten times and more what any awaited event needs.
const patience = 20 * time.Second

func TestMain(m *testing.M) {
	switch mode := os.Getenv(modeEnv); mode {
	case "":
		os.Exit(m.Run())
	case "impatient":
		connectWithin = 100 * time.Millisecond
		Main(&odd{})
	case "main":
		Main(&odd{})
	case "nothing":
		Main(nil)
	case "self":
		ServeIfInvoked(nil, &memory.Backend{}, &odd{})
		_, offered := selfplugin.Offered("odd")
		fmt.Println("not a plugin, offered:", offered)
	default:
		otherMode(mode)
	}
}

// odd is a backend that does what the key of a Load says.
type odd struct{ memory.Backend }

func (o *odd) Describe() backend.Description {
	fmt.Println("noise from Describe")
	return backend.Description{Name: "odd", Version: "1.2", Settings: []backend.Setting{{Name: "password", Secret: true}}}
}

func (o *odd) Open(ctx context.Context, c backend.Config) (backend.Store, error) {
	s, err := o.Backend.Open(ctx, c)
	return &oddStore{s, c}, err
}

type oddStore struct {
	backend.Store
	config backend.Config
}

func (s *oddStore) Load(_ context.Context, key string, _ backend.Version) (backend.Blob, error) {
	answer := "done"
	switch key {
	case "panic":
		panic("oh no, a token")
	case "print":
		s.print()
	case "input":
		in, err := io.ReadAll(os.Stdin)
		answer = fmt.Sprint(len(in), err)
	case "environment":
		answer = strings.Join(os.Environ(), "\n")
	case "process":
		answer = processState()
	case "busy":
		s.busy()
	}
	return backend.Blob{Data: []byte(answer), Version: "1"}, nil
}

func (s *oddStore) print() {
	fmt.Println("noise from Load")
	fmt.Fprintln(os.Stderr, "noise on stderr")
	rawNoise()
	log.Print("printed by package log")
	slog.Debug("a debug record")
	slog.With("a", 1).WithGroup("g").Warn("a warning", "@message", 1, "password", string(s.config.Secrets["password"]),
		"secret", s.config.Secrets["password"], slog.Group("h", "i", time.Second))
	slog.Warn(strings.Repeat("long", 32<<10))
}

// busy is a call that ends only when the test lets it.
func (s *oddStore) busy() {
	mark(s.config.Path, "busy")
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if _, err := os.Stat(filepath.Join(s.config.Path, "go")); err == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	mark(s.config.Path, "finished")
}

func (s *oddStore) Close() error {
	mark(s.config.Path, "closed")
	return s.Store.Close()
}

// mark leaves a file that tells the test how far the plugin is.
func mark(dir, name string) {
	if dir != "" {
		_ = os.WriteFile(filepath.Join(dir, name), nil, 0o600)
	}
}

func marked(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

func waitMark(t *testing.T, dir, name string) {
	t.Helper()
	for deadline := time.Now().Add(patience); !marked(dir, name); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s never came", name)
		}
	}
}

func TestVersionsAndStatuses(t *testing.T) {
	t.Parallel()
	cookie := wire.CookieKey + "=" + wire.CookieValue
	tests := []struct {
		name, mode   string
		env, args    []string
		status       int
		stdout, says string
	}{
		{"by hand", "main", nil, nil, 1, "", "msalext-plugins"},
		{"by hand, where else", "main", nil, nil, 1, "", "SHA-256"},
		{"by hand, with arguments", "main", nil, []string{"serve", "me"}, 1, "", "msalext-plugin-odd"},
		{"wrong cookie", "main", []string{wire.CookieKey + "=x"}, nil, 1, "", "isn't run by hand"},
		{"version", "main", nil, []string{"version"}, 0, "odd 1.2\n", ""},
		{"--version, as a plugin", "main", []string{cookie}, []string{"--version"}, 0, "odd 1.2\n", ""},
		{"no backend", "nothing", []string{cookie}, nil, 3, "", "no backend"},
		{"self, not a plugin", "self", nil, nil, 0, "not a plugin, offered: true\n", ""},
		{"self, another backend", "self", []string{cookie, wire.BackendEnv + "=redis\x1b"}, nil, 3, "", `redis\x1b: it must`},
		{"self, no backend named", "self", []string{cookie}, nil, 3, "", "plugin.ServeIfInvoked"},
		{"self, wrong cookie", "self", []string{wire.CookieKey + "="}, nil, 3, "", "unset it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, status := run(t, tt.mode, tt.env, tt.args)
			stdout = strings.ReplaceAll(stdout, "noise from Describe\n", "")
			if status != tt.status || stdout != tt.stdout || !strings.Contains(stderr, tt.says) {
				t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
			}
		})
	}
}
