package memory_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
)

func open(t *testing.T, b *memory.Backend) backend.Store {
	t.Helper()
	s, err := b.Open(t.Context(), backend.Config{Path: "/somewhere"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func save(t *testing.T, s backend.Store, key, data string, base backend.Version) backend.Version {
	t.Helper()
	v, err := s.Save(t.Context(), key, []byte(data), base)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVersionsNeverComeBack(t *testing.T) {
	t.Parallel()
	s := open(t, &memory.Backend{})
	v1 := save(t, s, "k", "a", backend.None)
	if err := s.Delete(t.Context(), "k", v1); err != nil {
		t.Fatal(err)
	}
	if v2 := save(t, s, "k", "a", backend.None); v1 == v2 {
		t.Error("a version came back")
	}
	if _, err := s.Save(t.Context(), "k", []byte("b"), v1); !errors.Is(err, backend.ErrConflict) {
		t.Errorf("an old base gave %v", err)
	}
}

func TestLoadOfTheVersionAtHandBringsNoData(t *testing.T) {
	t.Parallel()
	s := open(t, &memory.Backend{})
	v := save(t, s, "", "a", backend.None)
	if b, err := s.Load(t.Context(), "", v); err != nil || !b.Unchanged || b.Data != nil {
		t.Errorf("got %+v, %v", b, err)
	}
	if b, err := s.Load(t.Context(), "", backend.None); err != nil || string(b.Data) != "a" {
		t.Errorf("got %+v, %v", b, err)
	}
}

func TestLockedUntilUnlocked(t *testing.T) {
	t.Parallel()
	s := open(t, &memory.Backend{Locked: true})
	if _, err := s.Load(t.Context(), "", backend.None); !errors.Is(err, backend.ErrLocked) {
		t.Errorf("got %v", err)
	}
	l, _ := backend.Can[backend.Lister](s, backend.CanList)
	listed := 0
	for _, err := range l.Keys(t.Context(), "") {
		if listed++; !errors.Is(err, backend.ErrLocked) {
			t.Errorf("listing gave %v", err)
		}
	}
	if listed != 1 {
		t.Error("a locked store claims that it is empty")
	}
	u, _ := backend.Can[backend.Unlocker](s, backend.CanUnlock)
	if err := u.Unlock(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(t.Context(), "", backend.None); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestExpiredItemsAreGone(t *testing.T) {
	t.Parallel()
	s := open(t, &memory.Backend{})
	save(t, s, "k", "a", backend.None)
	e, _ := backend.Can[backend.Expirer](s, backend.CanExpire)
	if err := e.Expire(t.Context(), "k", time.Nanosecond); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; { // Windows' clock stands still for milliseconds
		_, err := s.Load(t.Context(), "k", backend.None)
		if errors.Is(err, backend.ErrNotFound) {
			break
		}
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("got %v", err)
		}
	}
	if err := e.Expire(t.Context(), "k", time.Hour); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestWatchTellsOfTheKeyAlone(t *testing.T) {
	t.Parallel()
	s := open(t, &memory.Backend{})
	w, _ := backend.Can[backend.Watcher](s, backend.CanWatch)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	next, stop := iter.Pull2(w.Watch(ctx, "mine"))
	defer stop()
	// The watch observes once next runs, so another key's change and then ours
	// are made from beside it until it answers.
	answered := make(chan struct{})
	go func() {
		var v backend.Version
		for i := 0; ; i++ {
			select {
			case <-answered:
				return
			default:
				_, _ = s.Save(ctx, "other", []byte{byte(i + 1)}, backend.None)
				v, _ = s.Save(ctx, "mine", []byte{byte(i + 1)}, v)
			}
		}
	}()
	v, err, ok := next()
	close(answered)
	if !ok || err != nil || v == backend.None {
		t.Errorf("got %q, %v, %v", v, err, ok)
	}
}

func TestUseAfterCloseFails(t *testing.T) {
	t.Parallel()
	s := open(t, &memory.Backend{})
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(t.Context(), "", backend.None); !errors.Is(err, backend.ErrClosed) {
		t.Errorf("got %v", err)
	}
	if _, err := s.Save(t.Context(), "", nil, backend.None); !errors.Is(err, backend.ErrInvalid) {
		t.Errorf("empty data gave %v", err)
	}
}
