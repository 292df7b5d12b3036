package persist

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/msalext/msalext/extensions/tokencache"
)

const (
	// restoreWindow is how long after a write of ours it is looked for writers
	// who had read before. The official Go extension holds what it read for up
	// to 5 s, while it waits for the lock.
	restoreWindow = 6 * time.Second
	// restoreQuiet is how long nobody else must have written before Close
	// returns, and where such writers were met, twice what they took. To wait for all of the window would be long at the end of a
	// command, and mostly in vain: such writers wait only for each other.
	restoreQuiet = 300 * time.Millisecond
	// restoreAgain is when it is tried again after a failure.
	restoreAgain = 500 * time.Millisecond
	// restorePatience is for how long failures prolong the window: while a cache
	// is damaged, nothing can be put back, and nobody else can write either.
	restorePatience = 2 * time.Minute
)

// restoring puts back what other programs overwrite. Nil: nothing is.
type restoring struct {
	c      *PersistedTokenCache
	window time.Duration // restoreWindow, but for tests

	mu      sync.Mutex
	written tokencache.Written
	vigil   *vigil        // nil: none is kept
	slowest time.Duration // from a write of ours until somebody took it away
}

// note tells the other processes of a write that is about to replace old by
// data, under the lock. keep has to follow once it is done.
func (r *restoring) note(old, data []byte) (w tokencache.Written) {
	if r == nil || bytes.Equal(old, data) {
		return w
	}
	s := r.c.p.now()
	if s.cas() { // others that write to such a store don't write back what is stale
		return w
	}
	w, err := tokencache.WrittenBy(old, data, time.Now())
	if err == nil && !w.Empty() {
		err = s.noteHistory(r.c.p.key, w)
	}
	if err != nil {
		s.log.Warn("msalext: a change to the token cache won't be put back where other programs overwrite it", "backend", s.name, "error", err)
		return tokencache.Written{}
	}
	return w
}

// keep looks after what was written, for a while.
func (r *restoring) keep(w tokencache.Written) {
	if r == nil || w.Empty() {
		return
	}
	w.Renew(time.Now()) // the write itself may have taken long
	r.mu.Lock()
	defer r.mu.Unlock()
	r.written.Add(w)
	if r.vigil == nil {
		ctx, end := context.WithCancel(context.Background())
		r.vigil = newVigil(end)
		go r.run(ctx, r.vigil)
	}
	select {
	case r.vigil.more <- struct{}{}: // somebody may have written since the lock was released
	default:
	}
}

// restored is what a cache should be. One that is empty or gone was taken away
// as a whole, which nobody does by mistake.
func (r *restoring) restored(now []byte, h tokencache.History) (out []byte, changed bool, err error) {
	if len(now) == 0 {
		return now, false, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	out, since, err := r.written.Restore(now, h)
	if !since.IsZero() {
		r.slowest = max(r.slowest, time.Since(since))
	}
	return out, !since.IsZero(), err
}

// finish ends the vigil, once others have been quiet for a moment: who closes
// the cache right after a write wants that write kept. It returns early when
// ctx ends.
func (r *restoring) finish(ctx context.Context) {
	if r == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.window)
	defer cancel()
	for {
		v, wait := r.noise()
		if v == nil {
			return
		}
		select {
		case <-v.done:
		case <-time.After(wait):
			if v.news(ctx) {
				r.heard(v)
				continue
			}
			v.stop()
		case <-ctx.Done():
			v.stop()
			return
		}
	}
}

// news looks for the last time: notices may come late.
func (v *vigil) news(ctx context.Context) bool {
	answer := make(chan bool, 1)
	select {
	case v.last <- answer:
	case <-v.done:
		return false
	case <-ctx.Done():
		return false
	}
	select {
	case fresh := <-answer:
		return fresh
	case <-v.done:
		return false
	case <-ctx.Done():
		return false
	}
}

func (v *vigil) stop() {
	v.end()
	<-v.done
}

// noise returns the vigil, and how long it has to go on until others were quiet
// long enough.
func (r *restoring) noise() (*vigil, time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.vigil == nil {
		return nil, 0
	}
	since := r.written.Last()
	if r.vigil.late.After(since) {
		since = r.vigil.late
	}
	return r.vigil, time.Until(since.Add(max(restoreQuiet, 2*r.slowest)))
}
