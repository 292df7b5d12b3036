package pluginhost

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/wire"
)

func TestStoreWorks(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	b, err := h.Backend(t.Context(), "store")
	if err != nil {
		t.Fatal(err)
	}
	want := backend.Description{Name: "store", Version: "1", Env: []string{"FILES_ALLOWED", "FILES_FORBIDDEN"}}
	got := b.Describe()
	if got.Name != want.Name || !slices.Equal(got.Env, want.Env) {
		t.Errorf("Describe: %+v", got)
	}
	s, path := mustOpen(t, h, "store")
	if _, err := s.Load(t.Context(), "", ""); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("Load of nothing: %v", err)
	}
	v, err := s.Save(t.Context(), "", []byte("data"), "")
	if err != nil || v != "data" {
		t.Fatalf("Save: %q %v", v, err)
	}
	blob, err := s.Load(t.Context(), "", "")
	if err != nil || string(blob.Data) != "data" {
		t.Errorf("Load: %q %v", blob.Data, err)
	}
	var keys []string
	for k, err := range s.(backend.Lister).Keys(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, k.Key)
	}
	if !slices.Equal(keys, []string{"one", "two"}) {
		t.Errorf("Keys: %q", keys)
	}
	if err := s.(backend.Unlocker).Unlock(t.Context()); !errors.Is(err, backend.ErrUnsupported) {
		t.Errorf("a power that the store doesn't announce: %v", err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.Load(t.Context(), "", ""); !errors.Is(err, backend.ErrClosed) {
		t.Errorf("Load after Close: %v", err)
	}
}

func TestOneProcessForAll(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	var wg sync.WaitGroup
	pids := make([]int, 8)
	stores := make([]backend.Store, 8)
	for i := range pids {
		wg.Go(func() {
			s, err := openStore(h, "store", filepath.Join(t.TempDir(), "data"))
			if err != nil {
				t.Error(err)
				return
			}
			stores[i] = s
			blob, _ := s.Load(t.Context(), "pid", "")
			pids[i], _ = strconv.Atoi(string(blob.Data))
		})
	}
	wg.Wait()
	if first := pids[0]; first == 0 || slices.ContainsFunc(pids, func(p int) bool { return p != first }) {
		t.Fatalf("processes: %v", pids)
	}
	for i, s := range stores {
		if !running(pids[0]) {
			t.Errorf("the process was let go with %d stores open", len(stores)-i)
		}
		_ = s.Close()
	}
	eventually(t, "the process ends with its last store", func() bool { return !there(pids[0]) })
	s, _ := mustOpen(t, h, "store")
	if again := pidOf(t, s); again == pids[0] {
		t.Error("the old process lives")
	}
}

// endings are what may have become of a plugin when its host is closed.
var endings = map[string]func(t *testing.T, pid int){
	"idle":   func(*testing.T, int) {},
	"killed": func(_ *testing.T, pid int) { kill(pid) },
}

func TestCloseLeavesNothing(t *testing.T) {
	for name, before := range endings {
		t.Run(name, func(t *testing.T) {
			base := t.TempDir()
			t.Setenv("XDG_RUNTIME_DIR", "")
			t.Setenv("TMPDIR", base)
			t.Setenv("TMP", base)
			routines := runtime.NumGoroutine()
			h := New(&Options{Logger: slog.New(slog.DiscardHandler)})
			s, err := openStore(h, "store", filepath.Join(base, "data"))
			if err != nil {
				t.Fatal(err)
			}
			pid := pidOf(t, s)
			before(t, pid)
			begin := time.Now()
			if err := h.Close(); err != nil {
				t.Error(err)
			}
			if took := time.Since(begin); took > closeTimeout {
				t.Errorf("Close took %v", took)
			}
			if there(pid) {
				t.Error("the process is left, or not waited for")
			}
			if left, _ := filepath.Glob(filepath.Join(base, "*")); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
			if _, err := s.Load(t.Context(), "", ""); !errors.Is(err, backend.ErrClosed) {
				t.Errorf("a store of a closed host: %v", err)
			}
			if _, err := h.Backend(t.Context(), "store"); !errors.Is(err, backend.ErrClosed) {
				t.Errorf("a closed host: %v", err)
			}
			eventually(t, "goroutines end: "+stacks(), func() bool { return runtime.NumGoroutine() <= routines })
		})
	}
}

func stacks() string {
	buf := make([]byte, 1<<20)
	return string(buf[:runtime.Stack(buf, true)])
}

func TestHostClosesDuringCall(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	s, _ := mustOpen(t, h, "store")
	result := make(chan error, 1)
	go func() {
		_, err := s.Load(context.Background(), "slow", "")
		result <- err
	}()
	pid := pidOf(t, s)
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if err := <-result; err == nil {
		t.Error("a call of a closed host succeeded")
	}
	if there(pid) {
		t.Error("the process is left")
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("PLUGIN_CLIENT_CERT", "not a certificate")
	t.Setenv("PLUGIN_UNIX_SOCKET_DIR", "/nonexistent")
	t.Setenv("PLUGIN_MULTIPLEX_GRPC", "true")
	t.Setenv("PLUGIN_PROTOCOL_VERSIONS", "42")
	t.Setenv("AZURE_CLIENT_SECRET", "SECRET")
	t.Setenv("LD_PRELOAD_NOT", "x")
	t.Setenv("LANG", "C.UTF-8")
	t.Setenv("FILES_ALLOWED", "allowed")
	t.Setenv("FILES_FORBIDDEN", "forbidden")
	h := newHost(t, &Options{Env: []string{"FILES_A*", "NOT_WANTED"}})
	s, _ := mustOpen(t, h, "store")
	blob, err := s.Load(t.Context(), "environ", "")
	if err != nil {
		t.Fatal(err)
	}
	allowed := append(emptyEnviron(t), append(Environment(), "PATH", wire.CookieKey, wire.BackendEnv, wire.LogEnv,
		"PLUGIN_MIN_PORT", "PLUGIN_MAX_PORT", "PLUGIN_PROTOCOL_VERSIONS", socketDirEnv)...)
	if withTLS(&Options{}) {
		allowed = append(allowed, "PLUGIN_CLIENT_CERT")
	}
	got := map[string]string{}
	for pair := range strings.SplitSeq(strings.Trim(string(blob.Data), "\x00"), "\x00") {
		key, value, _ := strings.Cut(pair, "=")
		got[key] = value
		if !slices.Contains(allowed, key) {
			t.Errorf("the plugin got %s", key)
		}
	}
	want := map[string]string{"PLUGIN_PROTOCOL_VERSIONS": "1", wire.BackendEnv: "store"}
	if slices.Contains(inherited, "LANG") {
		want["LANG"] = "C.UTF-8"
	}
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s=%q, want %q", key, got[key], value)
		}
	}
	blob, err = s.Load(t.Context(), "getenv", "")
	if diff := cmp.Diff("allowed,", string(blob.Data)); diff != "" || err != nil {
		t.Errorf("variables given with Open: %v %s", err, diff)
	}
}

// Whose variables lead an elevated program's plugin, decides what is done with
// rights that they don't have.
func TestElevatedEnvironment(t *testing.T) {
	theirs := t.TempDir()
	for _, name := range []string{"HOME", "USERPROFILE", "LOCALAPPDATA", "TEMP", "DBUS_SESSION_BUS_ADDRESS", "XDG_DATA_HOME"} {
		t.Setenv(name, theirs)
	}
	environ := func(elevated bool) string {
		h := newHost(t, nil)
		h.around.elevated = elevated
		s, _ := mustOpen(t, h, "store")
		blob, err := s.Load(t.Context(), "environ", "")
		if err != nil {
			t.Fatal(err)
		}
		return string(blob.Data)
	}
	if !strings.Contains(environ(false), theirs) {
		t.Error("the test proves nothing: the variables don't reach an ordinary plugin")
	}
	if env := environ(true); strings.Contains(env, theirs) {
		t.Errorf("the user's variables reach an elevated plugin: %q", env)
	}
	for name, value := range accountEnv() {
		if value == "" || value == theirs {
			t.Errorf("the account's %s is %q", name, value)
		}
	}
}

// emptyEnviron is what the system adds to an environment where nothing is.
func emptyEnviron(t *testing.T) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{programEnv + "=environ"}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}

func TestHostThatIsAPluginItself(t *testing.T) {
	t.Parallel()
	cmd := runProgram(t, "nested", "PLUGIN_CLIENT_CERT=x", "PLUGIN_UNIX_SOCKET_DIR=/none",
		"PLUGIN_PROTOCOL_VERSIONS=7", "PLUGIN_MULTIPLEX_GRPC=true", "TF_PLUGIN_MAGIC_COOKIE=1")
	out, err := cmd.CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "<nil>" {
		t.Errorf("%v: %s", err, out)
	}
}

func TestForgetfulProgramStartsOnce(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	h := newHost(t, nil)
	_, err := h.Backend(t.Context(), "forgetful")
	if !errors.Is(err, backend.ErrPluginRefused) {
		t.Errorf("error: %v", err)
	}
	starts, _ := os.ReadFile(filepath.Join(home, "starts"))
	if n := strings.Count(string(starts), "\n"); n != 1 {
		t.Errorf("%d processes were started", n)
	}
}

func TestIdlePluginEnds(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	if _, err := h.Backend(t.Context(), "store"); err != nil {
		t.Fatal(err)
	}
	s := h.service("store")
	s.mu.Lock()
	pid := s.cur.child.pid
	s.idle.Reset(0)
	s.mu.Unlock()
	eventually(t, "a plugin without stores ends", func() bool { return !there(pid) })
	if _, err := h.Backend(t.Context(), "store"); err != nil {
		t.Error(err)
	}
}

func TestBackendNames(t *testing.T) {
	h := newHost(t, nil)
	for _, name := range []string{"", "-a", "A", "a/b", "../a", "a.b", "a b", "ä", strings.Repeat("a", 33), "a\x00"} {
		if _, err := h.Backend(t.Context(), name); !errors.Is(err, backend.ErrInvalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestMutualTLS(t *testing.T) {
	t.Parallel()
	h := newHost(t, &Options{AutoMTLS: true})
	s, _ := mustOpen(t, h, "store")
	if _, err := s.Save(t.Context(), "", []byte("x"), ""); err != nil {
		t.Error(err)
	}
	blob, err := s.Load(t.Context(), "environ", "")
	if err != nil {
		t.Fatal(err)
	}
	// What plugins in other languages have to accept.
	_, after, _ := strings.Cut(string(blob.Data), clientCertEnv+"=")
	block, _ := pem.Decode([]byte(after))
	if block == nil {
		t.Fatalf("no certificate in %q", blob.Data)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if key, ok := cert.PublicKey.(*ecdsa.PublicKey); err != nil || !ok || key.Curve != elliptic.P256() {
		t.Errorf("the host's certificate: %v, %T", err, cert.PublicKey)
	}
}
