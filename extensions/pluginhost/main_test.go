package pluginhost

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/plugin"
	"github.com/msalext/msalext/internal/wire"
)

// hostile are plugins, by the backend's name under which the test binary is
// started again. Those that return, and nil, go on as good ones.
var hostile = map[string]func(){"store": nil, "forgetful": forgetful, "silent": wait}

// startEnv is the environment before package plugin tidies it up.
var startEnv = os.Environ()

func wait() { time.Sleep(time.Hour) }

// forgetful is a program that wants a plugin of its own, and doesn't serve
// when it is started as one.
func forgetful() {
	home, _ := os.UserHomeDir()
	f, _ := os.OpenFile(filepath.Join(home, "starts"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	fmt.Fprintln(f, os.Getpid())
	f.Close()
	h := New(nil)
	h.around.offered = func(string) bool { return os.Getenv(wire.CookieKey) == "" }
	_, err := h.Backend(context.Background(), "forgetful")
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func TestMain(m *testing.M) {
	// The race detector would keep each plugin waiting for a second at its end.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	inherited = append(inherited, "GORACE")
	if os.Getenv(wire.CookieKey) != "" {
		if f := hostile[os.Getenv(wire.BackendEnv)]; f != nil {
			f()
		}
	}
	var all []backend.Backend
	for name := range hostile {
		all = append(all, &files{name: name})
	}
	plugin.ServeIfInvoked(all...)
	if name := os.Getenv(programEnv); name != "" {
		programs[name]()
		return
	}
	os.Exit(m.Run())
}

// files is a store of files, with keys that do strange things.
type files struct{ name string }

func (f *files) Describe() backend.Description {
	return backend.Description{Name: f.name, Version: "1", Env: []string{"FILES_ALLOWED", "FILES_FORBIDDEN"}}
}

func (f *files) Open(_ context.Context, c backend.Config) (backend.Store, error) {
	if c.Settings["open"] == "crash" {
		os.Exit(9)
	}
	if exists(c.Path + ".hang") {
		mark(c.Path + ".hangs")
		select {}
	}
	_, other := os.Stat(c.Path + ".other")
	return &fileStore{path: c.Path, plain: other == nil}, nil
}

// mark leaves a file that tells the test how far the plugin is.
func mark(path string) { _ = os.WriteFile(path, nil, 0o600) }

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

type fileStore struct {
	path  string
	plain bool
}

func (s *fileStore) Info() backend.Info {
	caps := backend.CanList | backend.CanCheck | backend.CanWatch | backend.CanExpire
	return backend.Info{Encrypted: !s.plain, Stamp: backend.StampData, Caps: caps}
}

func (s *fileStore) Load(ctx context.Context, key string, _ backend.Version) (backend.Blob, error) {
	switch key {
	case "pid":
		return backend.Blob{Data: []byte(strconv.Itoa(os.Getpid())), Version: backend.Version(rand.Text())}, nil
	case "environ":
		return backend.Blob{Data: []byte(strings.Join(startEnv, "\x00")), Version: "1"}, nil
	case "exe":
		exe, err := os.Executable()
		return backend.Blob{Data: []byte(exe), Version: "1"}, err
	case "getenv":
		data := os.Getenv("FILES_ALLOWED") + "," + os.Getenv("FILES_FORBIDDEN")
		return backend.Blob{Data: []byte(data), Version: "1"}, nil
	case "print":
		fmt.Println(strings.Repeat("to standard output ", 10_000))
		return backend.Blob{Data: []byte("printed"), Version: "1"}, nil
	case "descriptors":
		return backend.Blob{Data: []byte(descriptors()), Version: "1"}, nil
	case "hang":
		select {}
	case "slow":
		<-ctx.Done()
		return backend.Blob{}, ctx.Err()
	}
	s.trap("load", key)
	data, err := os.ReadFile(s.path + key)
	if errors.Is(err, os.ErrNotExist) {
		return backend.Blob{}, backend.ErrNotFound
	}
	return backend.Blob{Data: data, Version: backend.Version(data)}, err
}

// descriptors lists what the process has open, by Linux's names.
func descriptors() string {
	var all []string
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		to, _ := os.Readlink("/proc/self/fd/" + e.Name())
		all = append(all, e.Name()+" "+to)
	}
	return strings.Join(all, "\n")
}

// trap ends the process the first time that a file asks for it, or each time.
func (s *fileStore) trap(op, key string) {
	file := s.path + key + "." + op
	mode, err := os.ReadFile(file)
	if err != nil {
		return
	}
	if string(mode) == "once" {
		_ = os.Remove(file)
	}
	kill(os.Getpid())
	wait()
}

func (s *fileStore) Save(ctx context.Context, key string, data []byte, _ backend.Version) (backend.Version, error) {
	if key == "slow" { // until the test lets it go on
		mark(s.path + "begun")
		for !exists(s.path+"go") && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
	}
	err := os.WriteFile(s.path+key, data, 0o600)
	s.trap("save", key)
	return backend.Version(data), err
}

func (s *fileStore) Delete(_ context.Context, key string, _ backend.Version) error {
	err := os.Remove(s.path + key)
	s.trap("delete", key)
	return err
}

func (s *fileStore) Keys(context.Context, string) iter.Seq2[backend.KeyInfo, error] {
	return func(yield func(backend.KeyInfo, error) bool) {
		if yield(backend.KeyInfo{Key: "one"}, nil) {
			s.trap("keys", "")
			yield(backend.KeyInfo{Key: "two"}, nil)
		}
	}
}

func (s *fileStore) Check(context.Context) error {
	s.trap("check", "")
	return nil
}

func (s *fileStore) Expire(context.Context, string, time.Duration) error {
	s.trap("expire", "")
	return nil
}

func (s *fileStore) Watch(ctx context.Context, _ string) iter.Seq2[backend.Version, error] {
	return func(yield func(backend.Version, error) bool) {
		if yield("first", nil) {
			<-ctx.Done()
		}
	}
}

func (s *fileStore) Close() error { return nil }

// programEnv names the program that the test binary is.
const programEnv = "PLUGINHOST_TEST_PROGRAM"

// programs are what the test binary does in a process of its own, as a host.
var programs = map[string]func(){
	"hold":      programHold,
	"nested":    func() { programUse(New(nil)) },
	"environ":   programEnviron,
	"installed": programInstalled,
}

// programHold opens a store, tells the plugin's pid, and waits.
func programHold() {
	name := cmp.Or(os.Getenv("PLUGINHOST_TEST_BACKEND"), "store")
	s, err := openStore(New(nil), name, os.Getenv("PLUGINHOST_TEST_PATH"))
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	blob, err := s.Load(context.Background(), "pid", "")
	fmt.Println(string(blob.Data), err)
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	wait()
}

// programEnviron prints the names in its environment.
func programEnviron() {
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); name != "" && name != programEnv {
			fmt.Println(name)
		}
	}
}

func programInstalled() {
	dir := os.Getenv("PLUGINHOST_TEST_DIR")
	o := &Options{Dirs: []string{dir}}
	place := os.Getenv("PLUGINHOST_TEST_PLACE")
	if place != "" {
		o = &Options{}
	}
	h := New(o)
	h.around.offered = func(string) bool { return false }
	switch place {
	case "system":
		h.around.system = []string{dir}
	case "elevated":
		h.around.elevated = true
		h.options.Plugins = map[string]Binary{"store": {Path: filepath.Join(dir, fileName("store"))}}
	}
	programUse(h)
}

// programUse uses a store once.
func programUse(h *Host) {
	s, err := openStore(h, "store", os.Getenv("PLUGINHOST_TEST_PATH"))
	if err == nil {
		_, err = s.Save(context.Background(), "", []byte("x"), "")
	}
	if err == nil {
		err = s.Close()
	}
	fmt.Println(errors.Join(err, h.Close()))
}

func openStore(h *Host, name, path string) (backend.Store, error) {
	b, err := h.Backend(context.Background(), name)
	if err != nil {
		return nil, err
	}
	return b.Open(context.Background(), backend.Config{Location: path, Path: path})
}
