package persist

import (
	"context"
	"time"

	"github.com/msalext/msalext/extensions/tokencache"
)

// change is what one client did to its copy of the cache.
type change struct {
	base View   // what it was given
	ours []byte // what it made of it
	op   tokencache.Op
}

func (ch change) onto(data []byte) ([]byte, error) {
	out, changed, err := tokencache.Merge(ch.base.Readable(), ch.ours, data, ch.op)
	if err != nil || !changed {
		return data, err
	}
	return out, nil
}

// Merge stores what a client made of its copy of the cache: base is the View
// whose Readable bytes it was given, ours what it has now. Every entry that it added, changed
// or removed is carried over to what is stored now; all else stays as others
// left it. The result is the View after that, which differs from ours by what
// others wrote.
//
// When the store fails, the change isn't thrown away: it is part of every View
// from now on, OnError is told, and it is tried again with the next write and
// by Close. The error is then returned too, beside a View that holds the
// change. When ours isn't a token cache, nothing is kept and the View is zero.
func (c *PersistedTokenCache) Merge(ctx context.Context, base View, ours []byte, op tokencache.Op) (View, error) {
	var view View
	var failure error
	err := c.exclusively(ctx, func() error {
		if err := readable(ours); err != nil {
			failure = c.damaged(err)
			return nil
		}
		c.pending = append(c.pending, change{base, ours, op})
		c.current = nil
		failure = c.write(ctx, func(data []byte) ([]byte, error) { return data, nil })
		var err error
		view, err = c.view()
		return err
	})
	if failure != nil {
		c.report(failure)
		return view, failure
	}
	return view, err
}

// write stores what is pending and what fn makes of it, in one update.
func (c *PersistedTokenCache) write(ctx context.Context, fn func([]byte) ([]byte, error)) error {
	stored, err := c.p.update(ctx, func(old []byte) ([]byte, error) {
		data, err := c.withPending(old)
		if err != nil {
			return nil, err
		}
		data, err = fn(data)
		return unchanged(data), err
	})
	if err != nil {
		return err
	}
	c.pending = nil
	c.current = nil
	c.adoptOwn(stored)
	return nil
}

func (c *PersistedTokenCache) withPending(data []byte) ([]byte, error) {
	s := c.p.opened()
	for _, ch := range c.pending {
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
