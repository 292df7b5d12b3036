package sqlite

import (
	"context"
	"errors"
	"sync"

	"github.com/msalext/msalext/extensions/backend"
)

// connections is how many calls use the database at once. Each connection has
// a page cache of 2 MB, and readers gain nothing from more of them than there
// are processors.
const connections = 4

// pool lends connections, and opens them when they are first needed.
type pool struct {
	place   place
	slots   chan struct{} // one for each call under way
	writing chan struct{} // writers of this process queue here instead of polling for SQLite's lock
	closing context.Context
	close   context.CancelFunc
	once    sync.Once

	mu   sync.Mutex
	idle []*conn
}

func newPool(at place) *pool {
	p := &pool{place: at, slots: make(chan struct{}, connections), writing: make(chan struct{}, 1)}
	p.closing, p.close = context.WithCancel(context.Background())
	return p
}

// use runs fn with a connection. errNothing: there is no database, and it
// shall not be created.
func (p *pool) use(ctx context.Context, create bool, fn func(*conn) error) error {
	return p.untilClosed(ctx, func(ctx context.Context) error { return p.lend(ctx, create, fn) })
}

// write is use for one change at a time. Those who wait keep no connection
// from readers.
func (p *pool) write(ctx context.Context, create bool, fn func(*conn) error) error {
	return p.untilClosed(ctx, func(ctx context.Context) error {
		if err := enter(ctx, p.writing); err != nil {
			return err
		}
		defer func() { <-p.writing }()
		return p.lend(ctx, create, fn)
	})
}

// untilClosed runs fn with a context that also ends when the pool is shut.
func (p *pool) untilClosed(ctx context.Context, fn func(context.Context) error) error {
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.closing, cancel)()
	return p.explain(ctx, fn(within))
}

func (p *pool) lend(ctx context.Context, create bool, fn func(*conn) error) error {
	if err := enter(ctx, p.slots); err != nil {
		return err
	}
	defer func() { <-p.slots }()
	c, err := p.take(ctx, create)
	if err != nil {
		return err
	}
	defer p.put(c)
	return c.run(ctx, fn)
}

func enter(ctx context.Context, room chan struct{}) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case room <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// take returns a connection to the database that lies at the place now.
func (p *pool) take(ctx context.Context, create bool) (*conn, error) {
	for {
		c := p.pop()
		if c == nil {
			return p.place.open(ctx, create)
		}
		if c.current(p.place.path) {
			return c, nil
		}
		_ = c.close()
	}
}

func (p *pool) pop() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) == 0 {
		return nil
	}
	c := p.idle[len(p.idle)-1]
	p.idle = p.idle[:len(p.idle)-1]
	return c
}

func (p *pool) put(c *conn) {
	if c.spoilt {
		_ = c.close()
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, c)
}

// explain tells whose end ended a call.
func (p *pool) explain(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case !ended(err):
		return explain(err)
	case p.closing.Err() != nil:
		return backend.ErrClosed
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return explain(err)
}

// shut ends the calls under way, waits for them and closes all connections, the
// first time.
func (p *pool) shut() (err error) {
	p.once.Do(func() { err = p.drain() })
	return err
}

func (p *pool) drain() error {
	p.close()
	for range connections {
		p.slots <- struct{}{}
	}
	var errs []error
	for c := p.pop(); c != nil; c = p.pop() {
		errs = append(errs, explain(c.close()))
	}
	return errors.Join(errs...)
}
