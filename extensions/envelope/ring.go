package envelope

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// keysHold is how long a key may be used for writing before the source is asked
// whether another one has taken its place: what was read tells a program of a
// new key, but not before it writes something new.
const keysHold = 5 * time.Minute

// ring keeps the keys of a source in memory: they are fetched at the first use,
// whenever one is missing, since another process may have added it, and for
// writing once they are old.
type ring struct {
	source Keys
	turn   chan struct{} // full while somebody fetches: the others wait for what comes of it

	mu      sync.Mutex
	first   string // the ID of the key that writes; empty: not fetched
	secrets map[string]Secret
	asked   time.Time // when the source was asked last; zero: ask before writing
	closed  bool
}

func newRing(source Keys) *ring {
	return &ring{source: source, turn: make(chan struct{}, 1), secrets: map[string]Secret{}}
}

// find returns the key with an ID, or errNoKey.
func (r *ring) find(ctx context.Context, id string) (Key, error) {
	if f, ok := r.source.(Finder); ok {
		k, err := f.Find(ctx, id)
		return checked(k, err)
	}
	return r.lookup(ctx, func() (Key, bool) {
		secret, ok := r.secrets[id]
		return Key{id, secret}, ok
	})
}

// writer returns the key that new data is encrypted with, or errNoKey.
func (r *ring) writer(ctx context.Context) (Key, error) {
	if _, ok := r.source.(Finder); ok { // it remembers its keys itself
		first, _, err := r.source.Keys(ctx)
		return checked(first, err)
	}
	k, err := r.lookup(ctx, func() (Key, bool) {
		secret, ok := r.secrets[r.first]
		return Key{r.first, secret}, ok && time.Since(r.asked) < keysHold
	})
	if err == nil {
		return k, nil
	}
	if old, ok := r.known(func() (Key, bool) { return Key{r.first, r.secrets[r.first]}, r.first != "" }); ok && !errors.Is(err, errNoKey) {
		return old, nil // a source that is away for the moment takes nothing back
	}
	return Key{}, err
}

func checked(k Key, err error) (Key, error) {
	if err != nil {
		return Key{}, keyError(err)
	}
	return k, invalidKey(k)
}

func invalidKey(keys ...Key) error {
	for _, k := range keys {
		if why := k.usable(); why != "" {
			return &backend.Error{Kind: backend.ErrInvalid, Err: errors.New(why), Hint: "make the key with envelope.NewKey"}
		}
	}
	return nil
}

// lookup asks what is in memory, and fetches once if that isn't enough.
func (r *ring) lookup(ctx context.Context, known func() (Key, bool)) (Key, error) {
	if k, ok := r.known(known); ok {
		return k, nil
	}
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return Key{}, &backend.Error{Err: fmt.Errorf("waiting for the key: %w", context.Cause(ctx))}
	}
	if k, ok := r.known(known); ok { // whoever had the turn before brought it
		return k, nil
	}
	if err := r.fetch(ctx); err != nil {
		return Key{}, err
	}
	if k, ok := r.known(known); ok {
		return k, nil
	}
	return Key{}, errNoKey
}

func (r *ring) known(known func() (Key, bool)) (Key, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return known()
}

// fetch replaces what is in memory by what the source has now. A source that
// has nothing leaves it: the keys at hand still read.
func (r *ring) fetch(ctx context.Context) error {
	first, others, err := r.source.Keys(ctx)
	r.mu.Lock()
	r.asked = time.Now()
	r.mu.Unlock()
	if err != nil {
		return keyError(err)
	}
	if err := invalidKey(append([]Key{first}, others...)...); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return backend.ErrClosed
	}
	r.forget()
	r.first = first.ID
	for _, k := range others {
		r.secrets[k.ID] = k.Secret
	}
	r.secrets[first.ID] = first.Secret
	return nil
}

// forget drops the keys; mu is held. Map values can't be zeroed where they
// lie, so they are overwritten.
func (r *ring) forget() {
	for id := range maps.Clone(r.secrets) {
		r.secrets[id] = Secret{}
	}
	clear(r.secrets)
	r.first = ""
}

// refresh makes the next writer ask the source.
func (r *ring) refresh() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = time.Time{}
}

func (r *ring) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget()
	r.closed = true
}
