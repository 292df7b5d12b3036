package redis

import (
	"context"
	"iter"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// Watch goes by what the scripts publish, and by the item's time to live. What
// nobody publishes (an eviction, FLUSHALL, a key removed by hand, a Redis user
// who may not publish) shows within seconds, when the item is looked at. It
// lasts through a server's absence of some seconds, and looks at the item when
// it is back.
func (s *store) Watch(ctx context.Context, key string) iter.Seq2[backend.Version, error] {
	return func(yield func(backend.Version, error) bool) {
		w := s.changes.join(s.place.names.of(key))
		defer s.changes.leave(w)
		known, err := s.look(ctx, key)
		away := absence{since: time.Now()}
		for last := known; ; {
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				known = sight{last.version, lookAgain}
			}
			if err = away.after(err, s.limits.lost); err != nil {
				yield(backend.None, fail("watch", s.explain(ctx, err)))
				return
			}
			if known.version != last.version && !yield(known.version, nil) {
				return
			}
			last = known
			s.wait(ctx, w, known)
			known, err = s.look(ctx, key)
		}
	}
}

// absence is since when the server hasn't answered, and why.
type absence struct {
	since  time.Time
	reason error
}

// after notes how a look ended, and returns why the watch can't go on; nil: it
// can.
func (a *absence) after(err error, most time.Duration) error {
	switch {
	case err == nil:
		*a = absence{since: time.Now()}
		return nil
	case !passing(err):
		return err
	case a.reason == nil || !late(err): // that the time ran out is no reason where there was another
		a.reason = err
	}
	if time.Since(a.since) < most {
		return nil
	}
	return a.reason
}

// lookAgain is when to look after a failure.
const lookAgain = 100 * time.Millisecond

// sight is an item as it is seen without its data.
type sight struct {
	version backend.Version
	stays   time.Duration // until it expires; less than 0: not known, or for ever
}

// look has less time than the server may be away, so that it can be tried on
// another connection than one that died in silence.
func (s *store) look(ctx context.Context, key string) (sight, error) {
	return beside(ctx, s, s.limits.lost/3, func(ctx context.Context) (sight, error) {
		a, err := s.eval(ctx, lookScript, key)
		if err != nil {
			return sight{}, err
		}
		if _, err := a.status(); err != nil {
			return sight{}, err
		}
		version, err := a.text(1)
		if err != nil {
			return sight{}, err
		}
		left, err := a.number(2)
		return sight{backend.Version(version), time.Duration(left) * time.Millisecond}, err
	})
}

// wait waits until the item may have changed.
func (s *store) wait(ctx context.Context, w *watch, seen sight) {
	pause := s.limits.look
	if seen.stays > 0 {
		pause = min(pause, seen.stays+time.Millisecond)
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-s.life.Done():
	case <-w.woken:
	case <-timer.C:
	}
}
