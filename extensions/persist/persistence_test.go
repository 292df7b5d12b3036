package persist

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
)

func TestSaveLoadDelete(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]*Persistence{"memory": first(inMemory(t)), "file": first(onDisk(t, tempPath(t)))} {
		t.Run(name, func(t *testing.T) {
			if _, err := p.Load(t.Context()); !errors.Is(err, backend.ErrNotFound) {
				t.Errorf("an empty store gave %v", err)
			}
			save(t, p, "one")
			save(t, p.Key("other"), "two")
			if got := load(t, p) + load(t, p.Key("other")); got != "onetwo" {
				t.Errorf("got %q", got)
			}
			if err := errors.Join(p.Delete(t.Context()), p.Delete(t.Context())); err != nil {
				t.Error(err)
			}
			if _, err := p.Load(t.Context()); !errors.Is(err, backend.ErrNotFound) {
				t.Errorf("a deleted item gave %v", err)
			}
			if got := load(t, p.Key("other")); got != "two" {
				t.Errorf("the other key has %q", got)
			}
		})
	}
}

func first(p *Persistence, _ *spy) *Persistence { return p }

func TestUpdateWritesOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	p, s := inMemory(t)
	save(t, p, "same")
	_, before := s.counts()
	save(t, p, "same")
	if _, after := s.counts(); after != before {
		t.Error("equal bytes were written")
	}
	own := errors.New("own")
	if err := p.Update(t.Context(), func([]byte) ([]byte, error) { return nil, own }); err != own {
		t.Errorf("fn's error came back as %v", err)
	}
	if err := p.Update(t.Context(), func([]byte) ([]byte, error) { return nil, nil }); !errors.Is(err, backend.ErrInvalid) {
		t.Errorf("nil gave %v", err)
	}
	if got := load(t, p); got != "same" {
		t.Errorf("now stored: %q", got)
	}
}

func TestUpdateFromWithinFails(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	disk, _ := onDisk(t, path)
	again, _ := onDisk(t, path) // another Persistence of the same item has the same lock
	mem, _ := inMemory(t)
	for _, c := range []struct {
		name         string
		outer, inner *Persistence
	}{{"file", disk, disk}, {"file opened twice", disk, again}, {"memory", mem, mem}} {
		t.Run(c.name, func(t *testing.T) {
			var inner error
			err := c.outer.Update(t.Context(), func([]byte) ([]byte, error) {
				inner = c.inner.Update(t.Context(), func([]byte) ([]byte, error) { return []byte("inner"), nil })
				return []byte("outer"), nil
			})
			if err != nil || !errors.Is(inner, backend.ErrInvalid) {
				t.Errorf("outer %v, inner %v", err, inner)
			}
			if got := load(t, c.outer); got != "outer" {
				t.Errorf("stored: %q", got)
			}
		})
	}
	// Another item is another matter.
	err := disk.Update(t.Context(), func([]byte) ([]byte, error) {
		return []byte("x"), disk.Key("k").Save(t.Context(), []byte("y"))
	})
	if err != nil {
		t.Errorf("another key: %v", err)
	}
}

func TestConcurrentUpdatesAllCount(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	disk1, _ := onDisk(t, path)
	disk2, _ := onDisk(t, path)
	mem, _ := inMemory(t)
	for name, ps := range map[string][]*Persistence{"file": {disk1, disk2}, "memory": {mem, mem}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var wg sync.WaitGroup
			for i := range 40 {
				wg.Go(func() {
					err := ps[i%2].Update(t.Context(), func(old []byte) ([]byte, error) {
						return append(bytes.Clone(old), 'x'), nil
					})
					if err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if got := load(t, ps[0]); len(got) != 40 {
				t.Errorf("%d of 40 updates kept", len(got))
			}
		})
	}
}

func TestStoreThatHangsIsATimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, s := inMemory(t)
		s.onLoad = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		start := time.Now()
		_, err := p.Load(t.Context())
		if !errors.Is(err, backend.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) || time.Since(start) != callTimeout {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := p.Load(ctx); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, backend.ErrTimeout) {
			t.Errorf("the caller's own deadline gave %v", err)
		}
	})
}

func TestUnreadableDataIsNeverOverwritten(t *testing.T) {
	t.Parallel()
	for _, kind := range []error{backend.ErrCorrupt, backend.ErrDecrypt, backend.ErrLocked, backend.ErrDenied, backend.ErrUnavailable} {
		t.Run(kind.Error(), func(t *testing.T) {
			t.Parallel()
			p, s := inMemory(t)
			s.onLoad = func(context.Context) error { return &backend.Error{Kind: kind} }
			if err := p.Save(t.Context(), []byte("new")); !errors.Is(err, kind) {
				t.Errorf("Save gave %v", err)
			}
			if err := p.Delete(t.Context()); !errors.Is(err, kind) {
				t.Errorf("Delete gave %v", err)
			}
			if _, saves := s.counts(); saves != 0 {
				t.Error("it was saved all the same")
			}
		})
	}
}

func TestTooLargeIsRefusedBeforeTheStoreIsAsked(t *testing.T) {
	t.Parallel()
	p, s := over(t, "memory", &memory.Backend{MaxBytes: 4}, tempPath(t))
	if err := p.Save(t.Context(), []byte("12345")); !errors.Is(err, backend.ErrTooLarge) || !strings.Contains(err.Error(), "5 bytes") {
		t.Errorf("got %v", err)
	}
	if _, saves := s.counts(); saves != 0 {
		t.Error("the store was asked")
	}
}

func TestAnotherBackendAtTheSameLocation(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, _ := onDisk(t, path)
	save(t, p, "theirs")
	for _, c := range []struct {
		name    string
		backend string
		was     string // the record
		err     error
	}{
		{"same", "file", "", nil},
		{"other", "vault", "", backend.ErrBackendChanged},
		{"plaintext after encryption", "file", `{"format":1,"backend":"file","encrypted":true}`, backend.ErrBackendChanged},
		{"newer format", "file", `{"format":2,"backend":"file"}`, backend.ErrCorrupt},
		{"rubbish", "file", `{`, backend.ErrCorrupt},
		{"unknown fields", "file", `{"format":1,"backend":"file","colour":"red"}`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.was != "" {
				if err := os.WriteFile(path+".msalext", []byte(c.was), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			other := New(c.backend, p.opening.store.store, p.opening.store.config, nil)
			if _, err := other.Load(t.Context()); !errors.Is(err, c.err) {
				t.Errorf("Load gave %v", err)
			}
			if err := other.Save(t.Context(), []byte("theirs")); !errors.Is(err, c.err) {
				t.Errorf("Save gave %v", err)
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != "theirs" {
				t.Errorf("the file has %q, %v", got, err)
			}
		})
	}
}

func TestLaterJoinsAtTheFirstUse(t *testing.T) {
	t.Parallel()
	opened, release := first(inMemory(t)), make(chan struct{})
	p := Later(func() (*Persistence, error) { <-release; return opened, nil })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Load(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a wait whose ctx ended gave %v", err)
	}
	close(release)
	save(t, p.Key("k"), "x")
	if p.Backend() != "memory" || p.IsEncrypted() {
		t.Errorf("got %q", p.Backend())
	}
	broken := errors.New("no store")
	p = Later(func() (*Persistence, error) { return nil, broken })
	if err := p.Save(t.Context(), []byte("x")); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if p.Backend() != "" || p.IsEncrypted() || p.Close() != nil {
		t.Error("a store that could not be opened claims something")
	}
}

func TestProtectionNamesWhoClaimsIt(t *testing.T) {
	t.Parallel()
	_, s := inMemory(t)
	s.info = func(i backend.Info) backend.Info {
		i.Encrypted, i.Method, i.Against = true, "rot13", "children"
		return i
	}
	p := New("x", s, backend.Config{}, &Options{ClaimedBy: "the author"})
	if got, want := fmt.Sprint(p.Protection()), "encrypted by rot13; kept from children (says the author)"; got != want {
		t.Errorf("got %q", got)
	}
}

func TestNothingIsWrittenAfterALongTimeUnderTheLock(t *testing.T) {
	t.Parallel()
	p, s := onDisk(t, tempPath(t))
	p.opening.store.limit = time.Millisecond
	err := p.Update(t.Context(), func([]byte) ([]byte, error) {
		time.Sleep(10 * time.Millisecond)
		return []byte("late"), nil
	})
	if _, saves := s.counts(); !errors.Is(err, backend.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) || saves != 0 {
		t.Errorf("%d saves, %v", saves, err)
	}
}

// All items of a location have one record, made before the first is stored.
func TestKeysShareTheRecord(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, s := onDisk(t, path)
	s.onSave = func(_ context.Context, save func() (backend.Version, error)) (backend.Version, error) {
		if _, err := os.Stat(path + ".msalext"); err != nil {
			t.Errorf("an item is stored that no record tells of: %v", err)
		}
		return save()
	}
	save(t, p.Key("a user"), "x")
	vault := New("vault", s, p.opening.store.config, nil)
	for _, item := range []*Persistence{vault, vault.Key("a user"), vault.Key("another")} {
		if err := item.Save(t.Context(), []byte("y")); !errors.Is(err, backend.ErrBackendChanged) {
			t.Errorf("%q: %v", item.key, err)
		}
	}
	if entries, err := filepath.Glob(path + "*.msalext"); err != nil || len(entries) != 1 {
		t.Errorf("records: %v, %v", entries, err)
	}
}
