package persist

import "time"

// Trace is told what happens inside, for metrics and tracing. Functions that
// are nil aren't called. They are called in the middle of the work, from any
// goroutine, some while the lock is held: they must be quick, safe for
// concurrent use, and must not use the Persistence.
type Trace struct {
	PluginStart func(Event) // a plugin was found, and started unless it ran already
	LockWait    func(Event) // the wait for the item's lock
	Load        func(Event) // the store was asked for the item
	Merge       func(Event) // a client's change was merged into what is stored
	Save        func(Event) // the store was given the item
	Conflict    func(Event) // others changed the item meanwhile; the update starts again
}

// Event is one thing that happened. It names neither key nor location, which
// may be secrets of the application.
type Event struct {
	Backend string
	Start   time.Time
	Took    time.Duration
	Bytes   int   // how many were loaded, merged or saved; 0 where nothing moved
	Err     error // why it failed; nothing stored counts as no failure of a Load
}

// observe calls hook, which may be nil, with what happened since start.
func (s *shared) observe(hook func(Event), start time.Time, bytes int, err error) {
	if hook != nil {
		hook(Event{Backend: s.name, Start: start, Took: time.Since(start), Bytes: bytes, Err: err})
	}
}
