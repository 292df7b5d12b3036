package redis

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// errFewReplicas: a change was made, and too few replicas acknowledged it.
var errFewReplicas = errors.New("too few replicas acknowledged the change")

func fewReplicas(acknowledged, wanted int) error {
	return &backend.Error{
		Kind: backend.ErrUnavailable,
		Err:  fmt.Errorf("%w in time (%d of %d): it is made, and may or may not survive a failover", errFewReplicas, acknowledged, wanted),
		Hint: "see that the replicas run and are connected, or lower the setting wait-replicas",
	}
}

// doubts are the changes that failed, and may have been made all the same, on
// too few replicas. To a caller who finds out what became of a change by loading
// the item, it would look safe; so for a while loading fails the same way.
type doubts struct {
	mu    sync.Mutex
	items map[string]doubt
}

type doubt struct {
	reason error
	until  time.Time
}

// settle notes how a change of an item ended. Where somebody else has changed
// it since, nobody can take that for ours.
func (d *doubts) settle(key string, err error, perhaps bool, last time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	kind := backend.KindOf(err)
	if !perhaps || errors.Is(err, errDoubt) || kind != backend.ErrUnavailable && kind != backend.ErrTimeout {
		delete(d.items, key)
		return
	}
	if d.items == nil {
		d.items = map[string]doubt{}
	}
	for k, old := range d.items {
		if time.Now().After(old.until) {
			delete(d.items, k)
		}
	}
	d.items[key] = doubt{err, time.Now().Add(last)}
}

// about is why an item can't be loaded now; nil: it can.
func (d *doubts) about(key string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if it, ok := d.items[key]; ok && time.Now().Before(it.until) {
		return it.reason
	}
	return nil
}
