package persist

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/plugins/file"
)

func TestExpire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := ready(t, "memory", &memory.Backend{}, tempPath(t))
		one, other, taken := p.Key("one"), p.Key("other"), p.Key("taken back")
		for _, item := range []*Persistence{p, one, other, taken} {
			save(t, item, "item")
		}
		for item, ttl := range map[*Persistence]time.Duration{one: 8 * time.Hour, other: 9 * time.Hour, taken: 8 * time.Hour} {
			if err := item.Expire(t.Context(), ttl); err != nil {
				t.Fatal(err)
			}
		}
		if err := taken.Expire(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		time.Sleep(8*time.Hour - time.Second)
		save(t, one, "changed") // which keeps the time
		wantKeys(t, p, "", "", "one", "other", "taken back")
		time.Sleep(2 * time.Second)
		wantKeys(t, p, "", "", "other", "taken back")
		if _, err := one.Load(t.Context()); !errors.Is(err, backend.ErrNotFound) {
			t.Errorf("what has expired: %v", err)
		}
		save(t, one, "new") // and has no time
		time.Sleep(24 * time.Hour)
		wantKeys(t, p, "", "", "one", "taken back")
	})
}

// TestExpiryIsNoticed: what a program holds in memory of an expired session must
// neither be shown nor come back with its next change.
func TestExpiryIsNoticed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := ready(t, "memory", &memory.Backend{}, tempPath(t))
		c := NewPersistedTokenCache(p, nil)
		merge(t, c, view(t, c), cacheOf("ann"))
		v := view(t, c)
		if err := p.Expire(t.Context(), time.Minute); err != nil {
			t.Fatal(err)
		}
		if got := signedIn(t, c); got != "ann" {
			t.Fatalf("before its time: %q", got)
		}
		time.Sleep(2 * time.Minute)
		if got := signedIn(t, c); got != "" {
			t.Errorf("it goes on with %q", got)
		}
		merge(t, c, v, cacheOf("ann", "bob"))
		if got := signedIn(t, c); got != "bob" {
			t.Errorf("a sign-in of bob brings back %q", got)
		}
	})
}

func TestExpireThatCantBe(t *testing.T) {
	t.Parallel()
	f := ready(t, "file", file.Backend(), tempPath(t))
	save(t, f, "item")
	err := f.Expire(t.Context(), time.Hour)
	if e := (*backend.Error)(nil); !errors.Is(err, backend.ErrUnsupported) || !errors.As(err, &e) || e.Hint == "" || e.Backend != "file" {
		t.Errorf("without the power: %v", err)
	}
	p := ready(t, "memory", &memory.Backend{}, tempPath(t))
	if err := p.Expire(t.Context(), time.Hour); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("nothing stored: %v", err)
	}
	save(t, p, "item")
	ended, end := context.WithCancel(t.Context())
	end()
	if err := p.Expire(ended, time.Nanosecond); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
	inner := errors.New("not called")
	err = p.Update(t.Context(), func(old []byte) ([]byte, error) {
		inner = p.Expire(t.Context(), time.Nanosecond)
		return old, nil
	})
	if err != nil || !errors.Is(inner, backend.ErrInvalid) {
		t.Errorf("within Update: %v, %v", err, inner)
	}
	if other := ready(t, "memory", &memory.Backend{}, f.Location()); !errors.Is(other.Expire(t.Context(), time.Hour), backend.ErrBackendChanged) {
		t.Error("another backend's place isn't noticed")
	}
	if data, err := p.Load(t.Context()); err != nil || string(data) != "item" {
		t.Errorf("a refusal dropped it: %q, %v", data, err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := p.Expire(t.Context(), time.Hour); !errors.Is(err, backend.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	broken := errors.New("no such store")
	if err := Later(func() (*Persistence, error) { return nil, broken }).Expire(t.Context(), time.Hour); !errors.Is(err, broken) {
		t.Errorf("never opened: %v", err)
	}
}

// hanging is a store that doesn't answer.
type hanging struct{ backend.Store }

func (hanging) Expire(ctx context.Context, _ string, _ time.Duration) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestExpireHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := (&memory.Backend{}).Open(t.Context(), backend.Config{})
		if err != nil {
			t.Fatal(err)
		}
		p := New("slow", hanging{s}, backend.Config{}, nil)
		defer p.Close()
		if err := p.Expire(t.Context(), time.Hour); !errors.Is(err, backend.ErrTimeout) {
			t.Error(err)
		}
	})
}
