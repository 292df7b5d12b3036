package persist

import (
	"context"
	"errors"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// Change tells that an item was changed, or that it can't be read any more.
type Change struct {
	// Version is what is stored now; None: nothing is.
	Version backend.Version
	// Err is why the item could not be read. The watch goes on, and tells when
	// it can be read again.
	Err error
}

// Watch tells when others change the item, from the moment it returns until
// ctx ends or the Persistence is closed (then the last Change has ErrClosed).
// The channel is closed after that, and nothing is left of the watch.
//
// At least one Change comes after the last change by others. Changes 100 ms
// apart are told one by one, also when each is several steps, as of a temporary
// file that is renamed and then gets its time; what comes closer together may
// be told as one. The channel holds one Change: for a receiver that is slow, a
// newer takes the place of an older. Load tells what is stored.
//
// Others are all but this Persistence and those that share its store by Key:
// another Persistence of the same location, also in this process, is others.
// What was stored by others and at once overwritten from here, as an Update
// does that merges, is told too. A write from here whose outcome is unknown,
// since the store's answer was lost, may be told.
//
// File and directory may be missing, and may be removed and come back. A store
// that can watch is asked to. Otherwise the system's notifications are used
// and, where there are none (network and FUSE file systems, too many watches
// in use, crowded directories on macOS and FreeBSD), the file is looked at
// every half a second, which a warning in the log says once. On Windows it
// always is. Stores without a file are asked every second. Then changes that are closer together than that
// may be told as one.
//
// An item that can't be read now is the first Change. The error tells of a
// store that could not be opened or is closed, and of a ctx that has ended.
func (p *Persistence) Watch(ctx context.Context) (<-chan Change, error) {
	s, err := p.join(ctx)
	if err == nil {
		err = s.fail("watch", s.alive(ctx))
	}
	if err != nil {
		return nil, err
	}
	life, end := context.WithCancelCause(ctx)
	stop := context.AfterFunc(s.life, func() { end(backend.ErrClosed) })
	w := newWatch(s, p.key)
	w.begin(life)
	go func() {
		defer close(w.out)
		w.run(life)
		w.end()
		stop()
		end(nil)
	}()
	return w.out, nil
}

func (s *shared) alive(ctx context.Context) error {
	if s.life.Err() != nil {
		return backend.ErrClosed
	}
	return context.Cause(ctx)
}

// pace is how often a watch does what.
type pace struct {
	quiet    time.Duration // this long without a notice, and a change is complete
	patience time.Duration // but it is looked at after this long in any case
	poll     time.Duration // looks at a file that nothing tells of
	ask      time.Duration // loads from a store that nothing tells of
	net      time.Duration // looks beside notices, which can fail unnoticed
}

// A directory that is moved away with one above it, a new mount over it and
// notices that a driver forgets are what net is for.
var usualPace = pace{
	quiet: 20 * time.Millisecond, patience: 60 * time.Millisecond,
	poll: 500 * time.Millisecond, ask: time.Second, net: 5 * time.Second,
}

// watch is one call of Watch.
type watch struct {
	s     *shared
	key   string
	out   chan Change   // holds the last Change until it is received
	woken chan struct{} // holds one token: there may be something new

	tally tally
	leave func() // stops the tally
	began bool   // what was stored at the beginning is known
	seen  observation
	wrong error // why the last load failed

	lookout *lookout        // nil: files aren't listened to
	source  backend.Watcher // nil: the store can't watch
	late    time.Duration   // how long a store that watches has been left alone
}

func newWatch(s *shared, key string) *watch {
	w := &watch{s: s, key: key, out: make(chan Change, 1), woken: make(chan struct{}, 1)}
	w.tally.notify = w.wake
	return w
}

// wake never blocks.
func (w *watch) wake() {
	select {
	case w.woken <- struct{}{}:
	default:
	}
}

// begin starts listening, and then finds out what is stored: nothing that
// comes later is missed.
func (w *watch) begin(ctx context.Context) {
	w.leave = w.s.own.watch(w.key, &w.tally)
	w.late = w.s.pace.quiet
	if source, ok := backend.Can[backend.Watcher](w.s.store, backend.CanWatch); ok {
		w.source = source
		go w.follow(ctx)
	} else if w.s.info.Stamp != backend.StampNone {
		w.lookout = &lookout{path: w.s.path(w.key), on: w.s.notices, wake: w.wake}
		w.listen()
	}
	for !w.look(ctx, true) {
		select {
		case <-w.woken: // among others by the end of a write of ours
		case <-ctx.Done():
			return
		}
	}
}

func (w *watch) end() {
	w.leave()
	if w.lookout != nil {
		w.lookout.leave()
	}
}

// run looks whenever there may be something new.
func (w *watch) run(ctx context.Context) {
	for {
		due := time.NewTimer(w.pause())
		select {
		case <-ctx.Done():
			due.Stop()
			if cause := context.Cause(ctx); errors.Is(cause, backend.ErrClosed) {
				w.tell(Change{Err: w.s.fail("watch", cause)})
			}
			return
		case <-due.C:
			w.listen()
			w.look(ctx, false)
		case <-w.woken:
			due.Stop()
			w.settle(ctx)
			w.listen()
			w.look(ctx, true)
		}
	}
}

// settle waits until the change that woke the watch is complete: a write is
// several steps.
func (w *watch) settle(ctx context.Context) {
	w.late = w.s.pace.quiet
	enough := time.After(w.s.pace.patience)
	for {
		select {
		case <-w.woken:
		case <-time.After(w.s.pace.quiet):
			return
		case <-enough:
			return
		case <-ctx.Done():
			return
		}
	}
}

// pause is how long to wait for a notice before looking without one.
func (w *watch) pause() time.Duration {
	switch {
	case w.lookout != nil, w.source != nil && w.s.info.Stamp != backend.StampNone:
		return w.s.pace.net
	case w.s.info.Stamp != backend.StampNone:
		return w.s.pace.poll
	case w.source == nil:
		return w.s.pace.ask
	}
	// Nobody tells when a store has begun to watch, so what changes before is
	// looked for soon, and then less and less often.
	w.late = min(2*w.late, 6*w.s.pace.net)
	return w.late
}

// look loads the item and tells of it if somebody else changed it. Without a
// hint that there may be something new, an unchanged file is proof enough that
// there isn't. It is false when a write from here came in between: that one's
// end wakes the watch once more.
func (w *watch) look(ctx context.Context, hint bool) (done bool) {
	if w.s.info.Stamp != backend.StampNone && w.seen.look(systemClock, w.s.path(w.key)) && !hint {
		return true
	}
	since, quiet := w.s.own.before(w.key, &w.tally)
	if !quiet {
		w.seen = observation{}
		return false
	}
	w.seen.loading(systemClock)
	blob, err := w.s.load(ctx, w.key, since.known)
	switch {
	case errors.Is(err, backend.ErrNotFound):
		return w.found(since, backend.None)
	case err != nil:
		w.failed(ctx, err)
		return true
	case blob.Unchanged:
		return w.found(since, since.known)
	}
	return w.found(since, blob.Version)
}

func (w *watch) found(since sight, v backend.Version) (done bool) {
	changed, sure := w.s.own.found(w.key, &w.tally, since, v)
	if !sure {
		w.seen = observation{}
		return false
	}
	if changed && w.began || w.wrong != nil {
		w.tell(Change{Version: v})
	}
	w.began, w.wrong = true, nil
	return true
}

// failed tells why the item can't be read, once for each kind of reason.
func (w *watch) failed(ctx context.Context, err error) {
	w.seen = observation{}
	if ctx.Err() != nil {
		return
	}
	if w.wrong == nil || backend.KindOf(w.wrong) != backend.KindOf(err) {
		w.tell(Change{Err: err})
	}
	w.wrong = err
}

// tell hands out a change, in place of one that wasn't received yet.
func (w *watch) tell(c Change) {
	select {
	case w.out <- c:
		return
	default:
	}
	select {
	case <-w.out:
	default: // it was received in this moment
	}
	w.out <- c
}
