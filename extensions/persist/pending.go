package persist

import (
	"slices"

	"github.com/msalext/msalext/extensions/tokencache"
)

// change is what one client did to its copy of the cache. It is replaced and
// never modified, but for awaited, which c.mu guards.
type change struct {
	tokencache.Change

	awaited  bool   // its Merge is under way, and looks whether it still waits
	examined bool   // it is as small as it can be by itself
	narrow   bool   // it holds what concerns one person alone
	person   string // who that is
}

func (ch *change) onto(data []byte) ([]byte, error) {
	out, changed, err := tokencache.Merge(ch.Base, ch.Ours, data, ch.Op)
	if err != nil || !changed {
		return data, err
	}
	return out, nil
}

// keep makes ch wait to be stored.
func (c *PersistedTokenCache) keep(ch *change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending = append(c.pending, ch)
	c.current = nil
}

// waiting lists what isn't stored yet.
func (c *PersistedTokenCache) waiting() []*change {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.pending)
}

// settle notes that the Merge of ch is over.
func (c *PersistedTokenCache) settle(ch *change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch.awaited = false
}

// condense makes what waits small, before another attempt to store it: a store
// may fail for days, and each refresh would leave a copy of the whole cache.
// Who calls it may write, since whoever writes counts what waits.
func (c *PersistedTokenCache) condense() {
	settled := c.settled()
	if len(settled) == 0 {
		return
	}
	few := condensed(settled)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending = slices.Concat(few, c.pending[len(settled):])
}

// settled lists what waits, up to the first change whose Merge is under way.
func (c *PersistedTokenCache) settled() []*change {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := slices.IndexFunc(c.pending, func(ch *change) bool { return ch.awaited })
	if n < 0 {
		n = len(c.pending)
	}
	return slices.Clone(c.pending[:n])
}

// condensed returns changes that do the same as these, one after the other. Of
// those for one person that is mostly one, or two: changes for different people
// may change places.
func condensed(changes []*change) (few []*change) {
	for _, ch := range changes {
		if !ch.examined {
			if ch.Empty() {
				continue
			}
			one, person, ok := ch.Narrow()
			ch = &change{Change: one, examined: true, narrow: ok, person: person}
		}
		if !joined(few, ch) {
			few = append(few, ch)
		}
	}
	return few
}

// joined puts ch into the last of changes for the same person, if it can.
func joined(changes []*change, ch *change) bool {
	if !ch.narrow {
		return false
	}
	for i, before := range slices.Backward(changes) {
		if !before.narrow {
			return false
		}
		if before.person == ch.person {
			one, ok := tokencache.Collapse(before.Change, ch.Change)
			if ok {
				changes[i] = &change{Change: one, examined: true, narrow: true, person: ch.person}
			}
			return ok
		}
	}
	return false
}
