package persist

import (
	"context"
	"errors"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// listen keeps the lookout in the right place. Where nothing can be heard the
// file is polled from then on, and the log says so, once.
func (w *watch) listen() {
	if w.lookout == nil {
		return
	}
	if err := w.lookout.renew(); err != nil {
		w.lookout = nil
		if errors.Is(err, errDeaf) { // as the documentation says; nobody can change it
			return
		}
		w.s.log.Warn("msalext: changes by other processes are noticed late, since there are no notices of them: the file is looked at now and then",
			"backend", w.s.name, "every", w.s.pace.poll, "error", err)
	}
}

// follow listens to a store that can watch, until ctx ends. While the store
// can't, the item is asked for: at first soon, then less often.
func (w *watch) follow(ctx context.Context) {
	logged := false
	for wait := w.s.pace.quiet; ctx.Err() == nil; wait = min(2*wait, w.s.pace.net) {
		for _, err := range w.source.Watch(ctx, w.key) {
			w.wake()
			if err == nil {
				wait = w.s.pace.quiet
				continue
			}
			if ctx.Err() == nil && !logged && !errors.Is(err, backend.ErrClosed) {
				logged = true
				w.s.log.Warn("msalext: changes by other processes are noticed late, since the store stopped watching: it is asked now and then",
					"backend", w.s.name, "error", err)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
			w.wake()
		}
	}
}
