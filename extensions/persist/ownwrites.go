package persist

import (
	"slices"
	"sync"

	"github.com/msalext/msalext/extensions/backend"
)

// ownWrites knows which changes of an item this store made itself, so that a
// watch keeps them to itself. Each write is noted with the version that it
// replaced: where that isn't the version last known, somebody else wrote in
// between, even if nobody saw that version stored.
//
// The zero value is ready.
type ownWrites struct {
	mu    sync.Mutex
	items map[string]*ownItem // by key, while it is watched or written
}

type ownItem struct {
	underWay int // writes that have begun and not ended
	begun    int // writes that ever began
	watches  []*tally
}

// tally is what one watch knows of its item; guarded by ownWrites.mu.
type tally struct {
	known  backend.Version // as told last, and own writes since
	ahead  []ownWrite      // those that don't continue known
	notify func()          // an own write ended; must not block
}

type ownWrite struct{ base, version backend.Version }

// aheadLimit bounds the memory of a watch that isn't looked after. More own
// writes than that never overtake each other.
const aheadLimit = 256

// begin notes that a write begins. The caller calls end when the store has
// answered; only a write that surely happened counts.
func (o *ownWrites) begin(key string) (end func(base, version backend.Version, err error)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	it := o.item(key)
	it.underWay++
	it.begun++
	return func(base, version backend.Version, err error) {
		o.mu.Lock()
		defer o.mu.Unlock()
		it.underWay--
		for _, t := range it.watches {
			if err == nil {
				t.add(ownWrite{base, version})
			}
			t.notify()
		}
		o.forget(key, it)
	}
}

func (o *ownWrites) item(key string) *ownItem {
	it := o.items[key]
	if it == nil {
		if o.items == nil {
			o.items = map[string]*ownItem{}
		}
		it = &ownItem{}
		o.items[key] = it
	}
	return it
}

func (o *ownWrites) forget(key string, it *ownItem) {
	if it.underWay == 0 && len(it.watches) == 0 {
		delete(o.items, key)
	}
}

// watch makes t hear of own writes until leave.
func (o *ownWrites) watch(key string, t *tally) (leave func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	it := o.item(key)
	it.watches = append(it.watches, t)
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		it.watches = slices.DeleteFunc(it.watches, func(u *tally) bool { return u == t })
		o.forget(key, it)
	}
}

// sight is the moment before a load, between own writes.
type sight struct {
	known backend.Version
	begun int
}

// before returns the present moment, false while an own write is under way:
// whether a load then sees it can't be told. The end of that write notifies.
func (o *ownWrites) before(key string, t *tally) (sight, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	it := o.item(key)
	return sight{t.known, it.begun}, it.underWay == 0
}

// found tells whether the version that a load gave shows a change by somebody
// else, and notes it as known. sure is false when an own write began after the
// load did; then nothing is noted.
func (o *ownWrites) found(key string, t *tally, since sight, v backend.Version) (changed, sure bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.item(key).begun != since.begun {
		return false, false
	}
	changed = v != t.known || len(t.ahead) > 0
	t.known, t.ahead = v, nil
	return changed, true
}

// add notes an own write. Answers can overtake each other where the store
// takes no lock, so one that doesn't continue what is known may yet do so once
// the other has come.
func (t *tally) add(w ownWrite) {
	if len(t.ahead) < aheadLimit {
		t.ahead = append(t.ahead, w)
	}
	for i := 0; i < len(t.ahead); i++ {
		if t.ahead[i].base == t.known {
			t.known = t.ahead[i].version
			t.ahead = slices.Delete(t.ahead, i, i+1)
			i = -1
		}
	}
}
