package pluginhost

import (
	"context"
	"errors"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// none is the result of calls that have none.
type none = struct{}

// manner says how a call may be made.
type manner uint8

const (
	once  manner = 0
	again manner = 1 << iota // repeated once when its process is lost: it changes nothing
	human                    // a person answers, so a missed deadline says nothing of the plugin
)

// patience is how long a call must have waited before a deadline that the
// caller chose says anything of the plugin.
const patience = 250 * time.Millisecond

// call makes one call of a store, on the process of the moment or a new one.
// One loss is made good: before the call was sent always, after that if it may
// be repeated.
func call[T any](ctx context.Context, s *store, op string, how manner,
	fn func(context.Context, backend.Store) (T, error)) (T, error) {
	var zero T
	// A store that is closed meanwhile leaves the process to calls under way.
	s.service.enter()
	defer s.service.leave()
	if s.isClosed() {
		return zero, closedError(op, s.service.name)
	}
	bounded, cancel, limit := s.service.bound(ctx, how)
	defer cancel()
	for try := 0; ; try++ {
		a := attempt{store: s, how: how, began: time.Now(), limited: limit > 0}
		v, err := run(bounded, &a, fn)
		if err == nil {
			return v, nil
		}
		lost := a.judge(bounded, err)
		if lost && try == 0 && (how&again != 0 || !a.sent) {
			continue
		}
		return zero, s.explain(bounded, op, err, lost, limit)
	}
}

// bound gives a call the default deadline when it has none; limit is 0 when it
// has one.
func (s *service) bound(ctx context.Context, how manner) (context.Context, context.CancelFunc, time.Duration) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}, 0
	}
	limit := s.host.options.CallTimeout
	if how&human != 0 {
		limit *= unlockFactor
	}
	bounded, cancel := context.WithTimeout(ctx, limit)
	return bounded, cancel, limit
}

// An attempt is one go at a call.
type attempt struct {
	store   *store
	how     manner
	began   time.Time
	limited bool // the deadline is the host's own
	process *process
	sent    bool // the call itself, and not only what comes before it
}

func run[T any](ctx context.Context, a *attempt, fn func(context.Context, backend.Store) (T, error)) (T, error) {
	var zero T
	p, err := a.store.service.process(ctx)
	if err != nil {
		return zero, err
	}
	a.process = p
	inner, err := a.store.bind(ctx, p)
	if err != nil {
		return zero, err
	}
	a.sent = true
	v, err := fn(ctx, inner)
	if err == nil {
		p.silence.end()
	}
	return v, err
}

// judge draws the conclusions for the process, and tells whether it is lost.
func (a *attempt) judge(ctx context.Context, err error) bool {
	p := a.process
	switch {
	case p == nil:
		return false
	case errors.Is(err, ErrLost):
		a.store.service.lost(p)
		return true
	case overdue(ctx, err):
		if a.how&human == 0 && (a.limited || time.Since(a.began) >= patience) {
			p.missed(a.began, a.store.service.host.options.CallTimeout)
		}
	case ctx.Err() == nil:
		p.silence.end()
	}
	return false
}

// overdue tells whether a call failed because its deadline passed. The plugin
// knows the deadline too, and its word of it may come a little before.
func overdue(ctx context.Context, err error) bool {
	const early = 50 * time.Millisecond
	deadline, ok := ctx.Deadline()
	return ok && errors.Is(err, context.DeadlineExceeded) && time.Until(deadline) < early
}

// explain makes the error of a call that failed for good. ctx is the call's
// own; limit is its deadline, if that is the host's.
func (s *store) explain(ctx context.Context, op string, err error, lost bool, limit time.Duration) error {
	name := s.service.name
	switch late := overdue(ctx, err); {
	case late && limit > 0:
		return timeoutError(op, name, limit)
	case late:
		return &backend.Error{Op: op, Backend: name, Err: context.DeadlineExceeded}
	case lost && (s.service.host.ctx.Err() != nil || s.isClosed()):
		return closedError(op, name)
	}
	if e, ok := errors.AsType[*backend.Error](err); ok && lost && e.Hint == "" {
		hinted := *e
		hinted.Hint = "the plugin ended unexpectedly; try again, and look into its log if it happens often"
		return &hinted
	}
	return backend.Wrap(op, name, backend.ErrUnavailable, err)
}
