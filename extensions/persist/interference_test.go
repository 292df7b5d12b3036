package persist

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// script makes a store answer each save as the next step says, and the last
// step for ever. A step gets the save itself, to do or to leave.
func script(s *spy, steps ...func(save func() (backend.Version, error)) (backend.Version, error)) {
	s.onSave = func(_ context.Context, save func() (backend.Version, error)) (backend.Version, error) {
		step := steps[0]
		if len(steps) > 1 {
			steps = steps[1:]
		}
		return step(save)
	}
}

var errLostReply = &backend.Error{Kind: backend.ErrUnavailable, Err: errors.New("the connection broke")}

func works(save func() (backend.Version, error)) (backend.Version, error) { return save() }

func lostBefore(func() (backend.Version, error)) (backend.Version, error) {
	return backend.None, errLostReply
}

func lostAfter(save func() (backend.Version, error)) (backend.Version, error) {
	_, err := save()
	return backend.None, errors.Join(errLostReply, err)
}

// lateFirst is the second of two saves, while the first arrives.
func lateFirst(save func() (backend.Version, error)) (backend.Version, error) {
	if _, err := save(); err != nil {
		return backend.None, err
	}
	return save()
}

func TestLostReplies(t *testing.T) {
	t.Parallel()
	type step = func(func() (backend.Version, error)) (backend.Version, error)
	for _, c := range []struct {
		name  string
		steps []step
		saves int
		err   error
	}{
		{"written", []step{lostAfter}, 1, nil},
		{"not written", []step{lostBefore, works}, 2, nil},
		{"lost twice, then written", []step{lostBefore, lostAfter}, 2, nil},
		{"lost twice, not written", []step{lostBefore}, 2, backend.ErrUnavailable},
		{"arrives while it is sent again", []step{lostBefore, lateFirst}, 2, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, s := inMemory(t)
			save(t, p, "x")
			_, before := s.counts()
			script(s, c.steps...)
			err := p.Update(t.Context(), func(old []byte) ([]byte, error) { return append(bytes.Clone(old), 'y'), nil })
			want := "xy"
			if c.err != nil {
				want = "x"
			}
			if _, after := s.counts(); !errors.Is(err, c.err) || after-before != c.saves || load(t, p) != want {
				t.Errorf("%v after %d saves, stored %q", err, after-before, load(t, p))
			}
		})
	}
}

// deaf is a store that deletes and doesn't say so.
type deaf struct{ backend.Store }

func (d deaf) Delete(ctx context.Context, key string, base backend.Version) error {
	return errors.Join(errLostReply, d.Store.Delete(ctx, key, base))
}

func TestLostReplyOfADelete(t *testing.T) {
	t.Parallel()
	p, s := inMemory(t)
	save(t, p, "x")
	s.Store = deaf{s.Store}
	if err := p.Delete(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := p.Load(t.Context()); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

// An error of the caller's function ends the update also when it looks like
// one that is worth another try.
func TestOwnConflictEndsTheUpdate(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]*Persistence{"memory": first(inMemory(t)), "file": first(onDisk(t, tempPath(t)))} {
		for _, own := range []error{backend.ErrConflict, fmt.Errorf("another store: %w", &backend.Error{Kind: backend.ErrConflict}), errLost} {
			ctx, cancel := context.WithTimeout(t.Context(), room)
			runs := 0
			err := p.Update(ctx, func([]byte) ([]byte, error) { runs++; return nil, own })
			cancel()
			if err != own || runs != 1 {
				t.Errorf("%s: %v after %d runs", name, err, runs)
			}
		}
	}
}

func TestEmptyDataIsRefused(t *testing.T) {
	t.Parallel()
	p, s := inMemory(t)
	save(t, p, "x")
	_, before := s.counts()
	if err := p.Save(t.Context(), []byte{}); !errors.Is(err, backend.ErrInvalid) {
		t.Errorf("got %v", err)
	}
	if _, after := s.counts(); after != before || load(t, p) != "x" {
		t.Errorf("%d saves, stored %q", after-before, load(t, p))
	}
}

func TestEndlessConflictsEnd(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			p, s := inMemory(t)
			script(s, func(func() (backend.Version, error)) (backend.Version, error) {
				return backend.None, backend.ErrConflict
			})
			ctx, limit := t.Context(), updateTimeout
			if own {
				limit = 90 * time.Second // longer than without a deadline
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, limit)
				defer cancel()
			}
			start := time.Now()
			err := p.Save(ctx, []byte("x"))
			if !errors.Is(err, backend.ErrConflict) || errors.Is(err, context.DeadlineExceeded) != own || time.Since(start) != limit {
				t.Errorf("own deadline %t: after %v: %v", own, time.Since(start), err)
			}
		})
	}
}

// Wherever ctx ends, the item is whole, the lock is free and the next call
// works.
func TestCtxEndsInTheMiddle(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"load", "change", "save", "after the save"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			path := tempPath(t)
			p, s := onDisk(t, path)
			save(t, p, "old")
			ctx, cancel := context.WithCancel(t.Context())
			at := func(here string) {
				if here == where {
					cancel()
				}
			}
			s.onLoad = func(ctx context.Context) error { at("load"); return ctx.Err() }
			s.onSave = func(ctx context.Context, save func() (backend.Version, error)) (backend.Version, error) {
				at("save")
				v, err := save()
				if at("after the save"); err == nil {
					err = ctx.Err() // as a plugin's answer gets lost
				}
				return v, err
			}
			err := p.Update(ctx, func([]byte) ([]byte, error) { at("change"); return []byte("new"), nil })
			cancel()
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			s.onLoad, s.onSave = nil, nil
			want := "old"
			if where == "after the save" {
				want = "new"
			}
			if got := load(t, p); got != want {
				t.Errorf("stored: %q", got)
			}
			if _, err := os.Lstat(path + ".lockfile"); !os.IsNotExist(err) {
				t.Errorf("the lock stayed: %v", err)
			}
			save(t, p, "next")
		})
	}
}

func TestStoreThatHangsUnderTheLock(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, s := onDisk(t, path)
	save(t, p, "old")
	p.opening.store.limit = 200 * time.Millisecond
	s.onSave = func(ctx context.Context, _ func() (backend.Version, error)) (backend.Version, error) {
		<-ctx.Done()
		return backend.None, ctx.Err()
	}
	err := p.Save(t.Context(), []byte("x"))
	if _, saves := s.counts(); !errors.Is(err, backend.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) || saves != 2 || load(t, p) != "old" {
		t.Errorf("%d saves, %v", saves, err)
	}
	held(t, path)
}

func TestLockOfSomebodyElse(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, s := onDisk(t, path)
	other := held(t, path)
	for name, call := range map[string]func(context.Context) error{
		"save":   func(ctx context.Context) error { return p.Save(ctx, []byte("x")) },
		"delete": p.Delete,
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		err := call(ctx)
		cancel()
		if e := (*backend.Error)(nil); !errors.Is(err, backend.ErrLockTimeout) || !errors.As(err, &e) || e.Hint == "" || e.Backend != "file" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if loads, saves := s.counts(); loads+saves != 0 {
		t.Error("the store was asked without the lock")
	}
	if err := other.Release(); err != nil {
		t.Error(err)
	}
	save(t, p, "x")
}

// onKeyStore is a persistence whose items lie elsewhere than in the file that
// shows their changes.
func onKeyStore(t *testing.T, path string) (*Persistence, *spy) {
	t.Helper()
	_, s := inMemory(t)
	s.info = func(i backend.Info) backend.Info {
		i.Stamp, i.Caps = backend.StampSignal, 0
		return i
	}
	return New("keys", s, backend.Config{Location: path, Path: path}, nil), s
}

func TestSignalShowsEveryChange(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, s := onKeyStore(t, path)
	var last time.Time
	changes := func(name string, want bool, call func() error) {
		t.Helper()
		err := call()
		fi, serr := os.Stat(path)
		if err != nil || serr != nil {
			t.Fatalf("%s: %v, %v", name, err, serr)
		}
		if fi.ModTime().After(last) != want {
			t.Errorf("%s: %v after %v", name, fi.ModTime(), last)
		}
		last = fi.ModTime()
	}
	put := func(data string) func() error {
		return func() error { return p.Save(t.Context(), []byte(data)) }
	}
	changes("first", true, put("one"))
	changes("second", true, put("two"))
	changes("equal", false, put("two"))
	changes("written, and the answer lost for good", true, func() error {
		script(s, func(save func() (backend.Version, error)) (backend.Version, error) {
			_, err := save()
			s.onLoad = func(context.Context) error { return errLostReply }
			return backend.None, errors.Join(errLostReply, err)
		})
		if err := p.Save(t.Context(), []byte("three")); !errors.Is(err, backend.ErrUnavailable) {
			return fmt.Errorf("got %w", err)
		}
		s.onLoad, s.onSave = nil, nil
		return nil
	})
	changes("a holder that died", true, func() error {
		if err := os.WriteFile(path+".lockfile", []byte("rubbish"), 0o600); err != nil {
			return err
		}
		return p.Save(t.Context(), []byte("three"))
	})
	changes("deleted", true, func() error { return p.Delete(t.Context()) })
}

// A signal file that can't be touched is a warning: the item is stored.
func TestSignalThatCantBeTouched(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, _ := onKeyStore(t, path)
	save(t, p, "one")
	if err := errors.Join(os.Remove(path), os.Symlink("elsewhere", path)); err != nil {
		t.Fatal(err)
	}
	save(t, p, "two")
	if got := load(t, p); got != "two" {
		t.Errorf("stored: %q", got)
	}
	held(t, path)
}
