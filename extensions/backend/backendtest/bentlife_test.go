package backendtest

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// clinger waits in Close until nobody watches any more.
type clinger struct {
	sound
	watches *sync.WaitGroup
}

func (s clinger) Watch(ctx context.Context, key string) iter.Seq2[backend.Version, error] {
	return func(yield func(backend.Version, error) bool) {
		s.watches.Add(1)
		defer s.watches.Done()
		s.sound.Watch(ctx, key)(yield)
	}
}

func (s clinger) Close() error {
	s.watches.Wait()
	return s.sound.Close()
}

// undead works after Close.
type undead struct{ sound }

func (undead) Close() error { return nil }

// fragile closes once.
type fragile struct {
	sound
	closed *atomic.Bool
}

func (s fragile) Close() error {
	if s.closed.Swap(true) {
		return backend.Wrap("close", "bent", nil, backend.ErrClosed)
	}
	return s.sound.Close()
}

// drowsy sees each second change only.
type drowsy struct{ sound }

func (s drowsy) Watch(ctx context.Context, key string) iter.Seq2[backend.Version, error] {
	return func(yield func(backend.Version, error) bool) {
		for v, err := range s.sound.Watch(ctx, key) {
			n, _ := strconv.Atoi(string(v))
			if even := n%2 == 0; (!even || v == backend.None) && !yield(v, err) {
				return
			}
		}
	}
}

// leaky leaves a goroutine behind for each watch.
type leaky struct {
	sound
	end <-chan struct{}
}

func (s leaky) Watch(ctx context.Context, key string) iter.Seq2[backend.Version, error] {
	go func() { <-s.end }()
	return s.sound.Watch(ctx, key)
}

// generous lists everything.
type generous struct{ sound }

func (s generous) Keys(ctx context.Context, _ string) iter.Seq2[backend.KeyInfo, error] {
	return s.sound.Keys(ctx, "")
}

// counting lists a page at a time, and tells by a number where the next begins.
type counting struct{ sound }

func (s counting) Keys(ctx context.Context, prefix string) iter.Seq2[backend.KeyInfo, error] {
	return func(yield func(backend.KeyInfo, error) bool) {
		const page = 7
		for from := 0; ; from += page {
			var all []backend.KeyInfo
			for info, err := range s.sound.Keys(ctx, prefix) {
				if err != nil {
					yield(info, err)
					return
				}
				all = append(all, info)
			}
			slices.SortFunc(all, func(a, b backend.KeyInfo) int { return strings.Compare(a.Key, b.Key) })
			for _, info := range all[min(from, len(all)):min(from+page, len(all))] {
				if !yield(info, nil) {
					return
				}
			}
			if from+page >= len(all) {
				return
			}
		}
	}
}

// eternal drops an item's ttl at each Save.
type eternal struct{ sound }

func (s eternal) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	v, err := s.sound.Save(ctx, key, data, base)
	if err == nil && base != backend.None {
		_ = s.Expire(ctx, key, 0)
	}
	return v, err
}

// torn stores the first half of an item before the whole.
type torn struct{ sound }

func (s torn) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	if len(data) < 20_000 || len(data) > 40_000 { // those of the race, and not what a Close might cut
		return s.sound.Save(ctx, key, data, base)
	}
	v, err := s.sound.Save(ctx, key, data[:len(data)/2], base)
	if err != nil {
		return v, err
	}
	time.Sleep(50 * time.Microsecond)
	return s.sound.Save(context.WithoutCancel(ctx), key, data, v)
}

// open is never locked.
type open struct{ sound }

func (s open) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	blob, err := s.sound.Load(ctx, key, have)
	if errors.Is(err, backend.ErrLocked) {
		err = backend.Wrap("load", "bent", nil, backend.ErrNotFound)
	}
	return blob, err
}
