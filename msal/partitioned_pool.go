package msal

import (
	"container/list"
	"context"
	"errors"
	"runtime"
	"sync"
	"weak"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
)

const defaultCaches = 1000

// pool is which partitions are in memory. What nobody uses stays there for two
// reasons only: it is among those used lately, or has what isn't stored yet.
type pool struct {
	p         *persist.Persistence
	newClient func(*persist.PersistedTokenCache) (any, error)
	opts      PartitionOptions

	life  context.Context // ends with close
	letGo context.CancelFunc

	mu       sync.Mutex                         // never held during I/O; guards what follows
	alive    map[string]weak.Pointer[partition] // all that somebody has, so that nobody makes a second one
	recent   list.List                          // of *partition, the one used last in front
	bytes    int64                              // of those in recent
	unsaved  map[*partition]struct{}
	flushing chan struct{} // closed when what runs has ended; nil: nothing runs
}

func newPool(p *persist.Persistence, opts *PartitionOptions, newClient func(*persist.PersistedTokenCache) (any, error)) *pool {
	all := &pool{p: p, newClient: newClient, alive: map[string]weak.Pointer[partition]{}, unsaved: map[*partition]struct{}{}}
	if opts != nil {
		all.opts = *opts
	}
	if all.opts.Caches <= 0 {
		all.opts.Caches = defaultCaches
	}
	all.life, all.letGo = context.WithCancel(context.Background())
	return all
}

// partition returns the one of a key.
func (all *pool) partition(key string) (*partition, error) {
	if err := checkPartition(key); err != nil {
		return nil, err
	}
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.life.Err() != nil {
		return nil, &backend.Error{Op: "choose a token cache", Kind: backend.ErrClosed, Hint: "ask for clients before Close"}
	}
	part := all.alive[key].Value()
	if part == nil {
		part = newPartition(all, key)
		all.alive[key] = weak.Make(part)
		runtime.AddCleanup(part, all.forget, key)
	}
	all.touch(part)
	return part, nil
}

// forget drops a key whose partition nobody has.
func (all *pool) forget(key string) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if part, known := all.alive[key]; known && part.Value() == nil {
		delete(all.alive, key)
	}
}

// used notes that a partition was used, and how large it is now.
func (all *pool) used(part *partition, size int64) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if part.removed {
		return
	}
	if part.place != nil {
		all.bytes += size - part.size
	}
	part.size = size
	all.touch(part)
}

// touch puts a partition in front; all.mu is held.
func (all *pool) touch(part *partition) {
	if part.place != nil {
		all.recent.MoveToFront(part.place)
	} else {
		part.place = all.recent.PushFront(part)
		all.bytes += part.size
	}
	for n := all.recent.Len(); n > all.opts.Caches || n > 1 && all.opts.Bytes > 0 && all.bytes > all.opts.Bytes; n-- {
		all.leave(all.recent.Back().Value.(*partition))
	}
}

// leave takes a partition from those used lately; all.mu is held.
func (all *pool) leave(part *partition) {
	if part.place != nil {
		all.recent.Remove(part.place)
		part.place = nil
		all.bytes -= part.size
	}
}

// remove deletes the item of a key. What waits to be stored goes first, since
// it would come back afterwards.
func (all *pool) remove(ctx context.Context, key string) error {
	all.mu.Lock()
	part := all.alive[key].Value()
	all.mu.Unlock()
	if part != nil {
		if err := all.save(ctx, part); err != nil {
			return err
		}
	}
	if err := all.p.Key(key).Delete(ctx); err != nil {
		return err
	}
	all.mu.Lock()
	defer all.mu.Unlock()
	if part != nil && all.alive[key].Value() == part {
		part.removed = true
		all.leave(part)
		delete(all.alive, key)
	}
	return nil
}

func (all *pool) close(ctx context.Context) error {
	all.mu.Lock()
	all.letGo()
	flushing := all.flushing
	all.mu.Unlock()
	if flushing != nil {
		<-flushing // soon, as its context has ended
	}
	var failures []error
	for _, part := range all.waiting() {
		failures = append(failures, all.save(ctx, part))
	}
	return errors.Join(failures...)
}
