package persist

import (
	"context"
	"errors"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/tokencache"
)

// vigil is one goroutine that looks after what was written.
type vigil struct {
	end  context.CancelFunc
	done chan struct{}
	more chan struct{}  // holds one token: something else was written from here
	last chan chan bool // looks now, and tells whether there was anything new
	late time.Time      // when somebody else wrote; guarded by restoring.mu

	// The goroutine's own.
	looked time.Time // when it last could
	warned bool
	seen   backend.Version
}

func newVigil(end context.CancelFunc) *vigil {
	return &vigil{end: end, done: make(chan struct{}), more: make(chan struct{}, 1), last: make(chan chan bool), looked: time.Now()}
}

// run looks at each write by others, until the window has passed.
func (r *restoring) run(ctx context.Context, v *vigil) {
	defer close(v.done)
	defer r.leave(v)
	changes, err := r.c.p.Watch(ctx)
	if err != nil {
		r.warn(ctx, v, err)
		return
	}
	defer func() { // nothing is left of the watch when Close returns
		v.end()
		for range changes {
		}
	}()
	var answer chan bool // nil: nobody asked
	for {
		news, again := r.look(ctx, v)
		if answer != nil {
			answer <- news
			answer = nil
		}
		select {
		case answer = <-v.last:
		case _, more := <-changes:
			if !more { // the Persistence was closed, or ctx ended
				return
			}
			r.heard(v)
		case <-v.more:
			v.seen = backend.None
		case <-time.After(min(again, r.left())):
		}
		if r.over() {
			return
		}
	}
}

// left is how long there is something to look after, if nothing happens.
func (r *restoring) left() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Until(r.written.Last().Add(r.window)) + time.Millisecond
}

func (r *restoring) prolong(v *vigil) {
	if time.Since(v.looked) > restorePatience {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.written.Renew(time.Now())
}

func (r *restoring) heard(v *vigil) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v.late = time.Now()
}

// over tells that there is nothing to look after any more; then a write begins
// another vigil.
func (r *restoring) over() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.written.Forget(time.Now().Add(-r.window))
	if !r.written.Empty() {
		return false
	}
	r.vigil = nil
	return true
}

func (r *restoring) leave(v *vigil) {
	v.end()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.vigil == v {
		r.vigil, r.written = nil, tokencache.Written{}
	}
}

// warn doesn't tell OnError, which may use the cache and could wait for what
// calls it.
func (r *restoring) warn(ctx context.Context, v *vigil, err error) {
	s := r.c.p.now()
	if ctx.Err() == nil && !v.warned && !errors.Is(err, backend.ErrClosed) {
		v.warned = true
		s.log.Warn("msalext: what other programs took out of the token cache could not be put back yet", "backend", s.name, "error", err)
	}
}

// look puts back what is missing, and tells whether anything was new, and when
// to look again without a notice.
func (r *restoring) look(ctx context.Context, v *vigil) (news bool, again time.Duration) {
	news, err := r.mend(ctx, v)
	if err != nil {
		r.warn(ctx, v, err)
		r.prolong(v)
		return news, restoreAgain
	}
	v.looked = time.Now()
	return news, r.window
}

// mend sees without the lock whether anything is missing; the rest is an update
// as any other.
func (r *restoring) mend(ctx context.Context, v *vigil) (news bool, err error) {
	p := r.c.p
	s, err := p.join(ctx)
	if err != nil {
		return false, err
	}
	blob, err := s.load(ctx, p.key, v.seen)
	switch {
	case errors.Is(err, backend.ErrNotFound), err == nil && blob.Unchanged:
		return false, nil
	case err != nil:
		return false, err
	}
	h, ok := s.history(p.key)
	if _, missing, err := r.restored(blob.Data, h); err == nil && ok && !missing {
		v.seen = blob.Version
		return true, nil
	}
	return true, r.c.alone(ctx, func() error {
		return r.c.write(ctx, func(now []byte) ([]byte, error) {
			h, _ := s.history(p.key)
			out, _, err := r.restored(now, h)
			if err != nil {
				err = r.c.damaged(err)
			}
			return out, err
		})
	})
}
