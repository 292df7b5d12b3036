package persist

import (
	"context"
	"slices"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/tokencache"
)

// Merge stores what a client made of its copy of the cache: base is the View
// whose Readable bytes it was given, ours what it has now, which must not
// change afterwards. Every entry that it added, changed or removed is carried
// over to what is stored now; all else stays as others left it. The result is
// the View after that, which differs from ours by what others wrote.
//
// When the store fails, or ctx ends, the change isn't thrown away: it is part
// of every View from now on, OnError is told, and it is tried again with the
// next write and by Close. The error is then returned too, beside a View that
// holds the change. When ours isn't a token cache, nothing is kept, the View is
// zero and the error ErrInvalid.
func (c *PersistedTokenCache) Merge(ctx context.Context, base View, ours []byte, op tokencache.Op) (View, error) {
	if err := readable(ours); err != nil {
		err = &backend.Error{Op: "change the token cache", Kind: backend.ErrInvalid, Err: err,
			Hint: "what is stored is unchanged; pass what MSAL serialized"}
		c.report(err)
		return View{}, err
	}
	ch := &change{Change: tokencache.Change{Base: base.Readable(), Ours: ours, Op: op}, awaited: true}
	c.keep(ch)
	failure := c.alone(ctx, func() error {
		c.condense()
		if !slices.Contains(c.waiting(), ch) { // whoever wrote before took it along
			return nil
		}
		return c.write(ctx, asIs)
	})
	c.settle(ch)
	view, _, err := c.known(nil)
	if failure != nil {
		c.report(failure)
		return view, failure
	}
	return view, err
}

// asIs adds nothing to what is pending.
func asIs(data []byte) ([]byte, error) { return data, nil }

// write stores what is pending and what fn makes of it, in one update.
func (c *PersistedTokenCache) write(ctx context.Context, fn func([]byte) ([]byte, error)) error {
	return c.patiently(ctx, func() error { return c.writeOnce(ctx, fn) })
}

func (c *PersistedTokenCache) writeOnce(ctx context.Context, fn func([]byte) ([]byte, error)) error {
	taken := 0
	var written tokencache.Written
	stored, err := c.p.update(ctx, c.basis(), func(old []byte) ([]byte, error) {
		pending := c.waiting()
		taken = len(pending)
		data, err := c.onto(old, pending)
		if err != nil {
			return nil, err
		}
		data, err = fn(data)
		if err == nil {
			written = c.restoring.note(old, data)
		}
		return unchanged(data), err
	})
	if err != nil {
		return err
	}
	c.restoring.keep(written)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending = slices.Delete(c.pending, 0, taken)
	c.current = nil
	c.writes++
	before := c.stored
	c.adopt(stored.blob)
	c.left = stored
	if c.restoring == nil { // which may refer to what was stored
		c.edited.stored(before, c.stored)
	}
	return nil
}

// onto merges changes into data.
func (c *PersistedTokenCache) onto(data []byte, changes []*change) ([]byte, error) {
	s := c.p.now()
	for _, ch := range changes {
		start := time.Now()
		var err error
		data, err = ch.onto(data)
		s.observe(s.trace.Merge, start, len(data), err)
		if err != nil {
			return nil, c.damaged(err) // base and ours parsed before, so it is what is stored
		}
	}
	return data, nil
}
