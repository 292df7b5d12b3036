package wire

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	pb "github.com/msalext/msalext/internal/wire/persistencepb"
	"google.golang.org/grpc"
)

func TestStoreAcrossTheWire(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c, _, _ := remote(t, &memory.Backend{})
	if diff := cmp.Diff((&memory.Backend{}).Describe(), c.Describe()); diff != "" {
		t.Error(diff)
	}
	s := openStore(t, c, backend.Config{Path: "/p"})
	local := openStore(t, &memory.Backend{}, backend.Config{Path: "/p"})
	if diff := cmp.Diff(local.Info(), s.Info()); diff != "" {
		t.Error(diff)
	}
	if _, err := s.Load(ctx, "", backend.None); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("load of nothing: %v", err)
	}
	key, data := "\xff\x00 key", bytes.Repeat([]byte{0, 255}, 5<<20)
	v, err := s.Save(ctx, key, data, backend.None)
	if err != nil {
		t.Fatal(err)
	}
	blob, err := s.Load(ctx, key, backend.None)
	if err != nil || !bytes.Equal(blob.Data, data) || blob.Version != v {
		t.Errorf("loaded %d bytes, version %q, %v", len(blob.Data), blob.Version, err)
	}
	if blob, err = s.Load(ctx, key, v); err != nil || !blob.Unchanged || blob.Version != v || blob.Data != nil {
		t.Errorf("unchanged: %+v, %v", blob, err)
	}
	if _, err := s.Save(ctx, key, []byte("x"), "stale"); !errors.Is(err, backend.ErrConflict) {
		t.Errorf("save from a stale version: %v", err)
	}
	if err := s.Delete(ctx, key, v); err != nil {
		t.Error(err)
	}
}

func TestEmptyAndTooLarge(t *testing.T) {
	t.Parallel()
	c, _, _ := remote(t, &memory.Backend{})
	s := openStore(t, c, backend.Config{})
	if _, err := s.Save(t.Context(), "", nil, backend.None); !errors.Is(err, backend.ErrInvalid) {
		t.Errorf("empty: %v", err)
	}
	_, err := s.Save(t.Context(), "", make([]byte, MaxMessage+1), backend.None)
	e, ok := errors.AsType[*backend.Error](err)
	if !ok || !errors.Is(err, backend.ErrTooLarge) || e.Hint == "" || errors.Is(err, ErrLost) {
		t.Errorf("too large: %v", err)
	}
	if _, err := s.Save(t.Context(), "", []byte("x"), backend.None); err != nil {
		t.Errorf("after that: %v", err)
	}
}

func TestPowers(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c, _, _ := remote(t, &memory.Backend{Locked: true})
	s := openStore(t, c, backend.Config{})
	if _, err := s.Load(ctx, "", ""); !errors.Is(err, backend.ErrLocked) {
		t.Fatalf("locked: %v", err)
	}
	u, ok := backend.Can[backend.Unlocker](s, backend.CanUnlock)
	if !ok || u.Unlock(ctx) != nil {
		t.Fatal("can't unlock")
	}
	check, ok := backend.Can[backend.Checker](s, backend.CanCheck)
	if !ok || check.Check(ctx) != nil {
		t.Fatal("can't check")
	}
	before := time.Now().Add(-time.Second)
	for _, key := range []string{"", "a\xff", "ab", "b"} {
		if _, err := s.Save(ctx, key, []byte("data"), backend.None); err != nil {
			t.Fatal(err)
		}
	}
	l, _ := backend.Can[backend.Lister](s, backend.CanList)
	var keys []string
	for info, err := range l.Keys(ctx, "a") {
		if err != nil || info.Size != 4 || info.Modified.Before(before) {
			t.Errorf("%+v, %v", info, err)
		}
		keys = append(keys, info.Key)
	}
	slices.Sort(keys)
	if diff := cmp.Diff([]string{"ab", "a\xff"}, keys); diff != "" {
		t.Error(diff)
	}
	for range l.Keys(ctx, "") {
		break
	}
	x, _ := backend.Can[backend.Expirer](s, backend.CanExpire)
	if err := x.Expire(ctx, "none", time.Hour); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("expire nothing: %v", err)
	}
	if err := x.Expire(ctx, "b", time.Nanosecond); err != nil {
		t.Fatal(err)
	}
	waitGone(t, s, "b")
}

func waitGone(t *testing.T, s backend.Store, key string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		if _, err := s.Load(t.Context(), key, ""); errors.Is(err, backend.ErrNotFound) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("it never expired")
		}
	}
}

// watchInto watches key and returns the yields; the channel closes at the end.
func watchInto(ctx context.Context, s backend.Store, key string) <-chan error {
	seen := make(chan error, 1000)
	go func() {
		defer close(seen)
		for _, err := range s.(backend.Watcher).Watch(ctx, key) {
			seen <- err
		}
	}()
	return seen
}

// saveUntil saves until a watcher has seen it, since nobody tells when a watch
// has begun.
func saveUntil(t *testing.T, s backend.Store, key string, seen <-chan error) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	blob, _ := s.Load(t.Context(), key, "")
	for base := blob.Version; ; {
		var err error
		if base, err = s.Save(t.Context(), key, []byte(time.Now().String()), base); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-seen:
			if err != nil {
				t.Fatal(err)
			}
			return
		case <-deadline:
			t.Fatal("no change was seen")
		case <-tick.C:
		}
	}
}

func TestWatch(t *testing.T) {
	c, _, _ := remote(t, &memory.Backend{})
	s, other := openStore(t, c, backend.Config{}), openStore(t, c, backend.Config{})

	t.Run("ends with ctx, silently", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		seen := watchInto(ctx, s, "k")
		saveUntil(t, other, "k", seen)
		cancel()
		for err := range seen {
			if err != nil {
				t.Error(err)
			}
		}
		settled(t, "wire.send[")
	})
	t.Run("early stop frees the plugin", func(t *testing.T) {
		done := make(chan error)
		go func() {
			defer close(done)
			for range s.(backend.Watcher).Watch(t.Context(), "k") {
				done <- nil
				return
			}
		}()
		saveUntil(t, other, "k", done)
		settled(t, "wire.send[")
	})
	t.Run("closing the store ends it", func(t *testing.T) {
		seen := watchInto(t.Context(), s, "k")
		saveUntil(t, other, "k", seen)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		var last error
		for err := range seen {
			last = err
		}
		if !errors.Is(last, backend.ErrClosed) {
			t.Errorf("it ended with %v", last)
		}
		settled(t, "wire.send[")
	})
}

func TestTTL(t *testing.T) {
	t.Parallel()
	tests := map[time.Duration]time.Duration{
		-1: 0, 0: 0, 1: time.Millisecond, time.Millisecond: time.Millisecond,
		time.Millisecond + 1: 2 * time.Millisecond, time.Hour: time.Hour,
	}
	for in, want := range tests {
		if got := ttlOf(ttlMessage(in)); got != want {
			t.Errorf("%v became %v, want %v", in, got, want)
		}
	}
	if got := ttlOf(1 << 62); got <= 0 {
		t.Errorf("an enormous ttl became %v", got)
	}
}

// announcer announces powers that it doesn't have.
type announcer struct{ fake }

func (a *announcer) Open(context.Context, backend.Config) (backend.Store, error) { return a, nil }

func TestCapabilitiesAreMasked(t *testing.T) {
	t.Parallel()
	a := &announcer{fake{info: backend.Info{Caps: ^backend.Caps(0), Location: "a\x1b[31m", MaxBytes: 7, Stamp: backend.StampSignal, Encrypted: true}}}
	c, _, _ := remote(t, a)
	info := openStore(t, c, backend.Config{}).Info()
	want := backend.Info{Caps: backend.CanCAS, Location: `a\x1b[31m`, MaxBytes: 7, Stamp: backend.StampSignal, Encrypted: true}
	if diff := cmp.Diff(want, info); diff != "" {
		t.Error(diff)
	}
}

func TestConfigAndEnvironment(t *testing.T) {
	const name = "MSALEXT_WIRE_TEST"
	t.Setenv(name, "")
	var got backend.Config
	f := &fake{description: backend.Description{Name: "f", Env: []string{name, "UNSET"}}}
	f.open = func(_ context.Context, c backend.Config) (backend.Store, error) { got = c; return f, nil }
	l := serveOn(t, func(s *grpc.Server) { Register(s, f) })
	var asked []string
	c, err := NewClient(t.Context(), l.conn, Options{Name: "f", Environment: func(names []string) map[string]string {
		asked = names
		return map[string]string{name: "set", "LD_PRELOAD": "evil"}
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := backend.Config{
		Location: "rel\xff", Path: "/abs\xff", Settings: backend.Settings{"a": "b"},
		Secrets: map[string]backend.Secret{"password": backend.Secret("p\xff")},
	}
	openStore(t, c, want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{name, "UNSET"}, asked); diff != "" {
		t.Error(diff)
	}
	if env := mustEnv(t, name); env != "set" {
		t.Errorf("environment: %q", env)
	}
	_, err = c.Open(t.Context(), backend.Config{Settings: backend.Settings{"a": "\xff"}})
	if !errors.Is(err, backend.ErrInvalid) || strings.Contains(err.Error(), "\xff") {
		t.Errorf("a setting that isn't UTF-8: %v", err)
	}
}

// blocking is a plugin by hand whose watches last as long as their call.
type blocking struct{ liar }

func (*blocking) Watch(_ *pb.WatchRequest, out grpc.ServerStreamingServer[pb.WatchResponse]) error {
	if err := out.Send(&pb.WatchResponse{}); err != nil {
		return err
	}
	<-out.Context().Done()
	return out.Context().Err()
}

func TestCloseEndsAWatchThatThePluginDoesNotEnd(t *testing.T) {
	t.Parallel()
	b := &blocking{liar{describe: &pb.DescribeResponse{}, open: &pb.OpenResponse{}}}
	c, err := hostile(t, b)
	if err != nil {
		t.Fatal(err)
	}
	s := openStore(t, c, backend.Config{})
	seen := watchInto(t.Context(), s, "")
	if err := <-seen; err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	if err := <-seen; !errors.Is(err, backend.ErrClosed) {
		t.Errorf("it ended with %v", err)
	}
}

func TestPluginEndsWatches(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		end  func(pb.PersistenceClient, *Service) error
		want error
	}{
		"store closed": {func(rpc pb.PersistenceClient, _ *Service) error {
			_, err := rpc.Close(t.Context(), &pb.CloseRequest{Store: 1})
			return err
		}, backend.ErrClosed},
		"shutdown": {func(_ pb.PersistenceClient, s *Service) error {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			return s.Close(ctx)
		}, ErrLost},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, service, _ := remote(t, &memory.Backend{})
			s := openStore(t, c, backend.Config{})
			seen := watchInto(t.Context(), s, "k")
			saveUntil(t, s, "k", seen)
			if err := tt.end(c.rpc, service); err != nil {
				t.Fatal(err)
			}
			var last error
			for err := range seen {
				last = err
			}
			if !errors.Is(last, tt.want) {
				t.Errorf("it ended with %v", last)
			}
		})
	}
}
