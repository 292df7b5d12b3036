// Package memory is the reference backend: it keeps items in the memory of one
// process, has every optional power, and shows in few lines what each call
// must do. It serves tests, examples and the conformance kit; nothing is left
// when the process ends.
package memory

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// Backend keeps one set of items per location for as long as it lives. Stores
// opened twice at one location share the items. It is safe for concurrent use.
type Backend struct {
	// Locked makes each newly opened store answer ErrLocked until Unlock.
	Locked bool
	// MaxBytes is the largest item; 0: no limit.
	MaxBytes int64

	mu     sync.Mutex
	places map[string]*place
}

var _ backend.Backend = (*Backend)(nil)

// Describe tells that the backend is named "memory" and has no settings.
func (b *Backend) Describe() backend.Description {
	return backend.Description{Name: "memory", Version: "1"}
}

// Open returns the store at c.Path. It never fails but for an ended ctx.
func (b *Backend) Open(ctx context.Context, c backend.Config) (backend.Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, fail("open", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.places == nil {
		b.places = map[string]*place{}
	}
	p := b.places[c.Path]
	if p == nil {
		p = &place{items: map[string]item{}}
		b.places[c.Path] = p
	}
	return &store{place: p, max: b.MaxBytes, locked: b.Locked}, nil
}

// place is what one location holds.
type place struct {
	mu      sync.Mutex
	items   map[string]item
	saves   uint64 // counts for ever, so that no version comes back
	changed chan struct{}
}

type item struct {
	data     []byte
	version  backend.Version
	modified time.Time
	expires  time.Time // zero: never
}

// current returns a key's item; p.mu is held. An expired one is gone.
func (p *place) current(key string) item {
	it := p.items[key]
	if !it.expires.IsZero() && time.Now().After(it.expires) {
		delete(p.items, key)
		return item{}
	}
	return it
}

// announce wakes the watchers; p.mu is held.
func (p *place) announce() {
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
}

// change returns a channel that closes at the next change; p.mu is held.
func (p *place) change() <-chan struct{} {
	if p.changed == nil {
		p.changed = make(chan struct{})
	}
	return p.changed
}

type store struct {
	place *place
	max   int64

	mu     sync.Mutex
	locked bool
	closed bool
}

func (s *store) Info() backend.Info {
	return backend.Info{
		Against:  "other processes, as far as the system keeps their memory apart",
		Location: "the memory of this process",
		MaxBytes: s.max,
		Caps: backend.CanWatch | backend.CanUnlock | backend.CanList | backend.CanExpire |
			backend.CanCheck | backend.CanCAS,
	}
}

func (s *store) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	if err := s.usable(ctx); err != nil {
		return backend.Blob{}, fail("load", err)
	}
	s.place.mu.Lock()
	defer s.place.mu.Unlock()
	it := s.place.current(key)
	switch it.version {
	case backend.None:
		return backend.Blob{}, fail("load", backend.ErrNotFound)
	case have:
		return backend.Blob{Version: have, Unchanged: true}, nil
	}
	return backend.Blob{Data: append([]byte(nil), it.data...), Version: it.version}, nil
}

func (s *store) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	if err := s.acceptable(ctx, data); err != nil {
		return backend.None, fail("save", err)
	}
	p := s.place
	p.mu.Lock()
	defer p.mu.Unlock()
	old := p.current(key)
	if old.version != base {
		return backend.None, fail("save", backend.ErrConflict)
	}
	p.saves++
	v := backend.Version(strconv.FormatUint(p.saves, 10))
	p.items[key] = item{append([]byte(nil), data...), v, time.Now(), old.expires}
	p.announce()
	return v, nil
}

func (s *store) Delete(ctx context.Context, key string, base backend.Version) error {
	if err := s.usable(ctx); err != nil {
		return fail("delete", err)
	}
	p := s.place
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current(key).version != base {
		return fail("delete", backend.ErrConflict)
	}
	delete(p.items, key)
	p.announce()
	return nil
}

func (s *store) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.place.mu.Lock()
	defer s.place.mu.Unlock()
	s.place.announce() // watchers of this store have to notice
	return nil
}

func (s *store) usable(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case s.closed:
		return backend.ErrClosed
	case s.locked:
		return backend.ErrLocked
	}
	return nil
}

func (s *store) acceptable(ctx context.Context, data []byte) error {
	switch {
	case len(data) == 0:
		return &backend.Error{Kind: backend.ErrInvalid, Err: errors.New("there is nothing to save"), Hint: "Delete removes an item"}
	case s.max > 0 && int64(len(data)) > s.max:
		return backend.ErrTooLarge
	}
	return s.usable(ctx)
}

func fail(op string, err error) error {
	return backend.Wrap(op, "memory", backend.ErrUnavailable, err)
}
