package filelock

import (
	"slices"
	"sync"
)

// lines holds this process's waiters by path. A line has one goroutine, which
// is the only one that waits in the kernel: a thousand callers cost one
// thread, and a caller that gives up leaves nothing behind that it would have
// to interrupt.
var lines = struct {
	sync.Mutex
	byPath map[string]*line
}{byPath: map[string]*line{}}

// line is the callers that wait for one path, first come first. It exists
// while its goroutine runs.
type line struct {
	path    string
	from    place     // what its goroutine begins with
	waiters []*waiter // guarded by lines
}

// waiter is one call of Acquire.
type waiter struct {
	line   *line
	opts   Options
	result chan result // gets one, unless the waiter leaves before its turn
}

type result struct {
	lock *Lock
	err  error
}

// serves tells whether the result is what a waiter waits for: without Java's
// lock one that was taken with it would let MSAL4J in.
func (r result) serves(w *waiter) bool { return r.lock == nil || !w.opts.Java || r.lock.java != nil }

// awaitedHere tells whether somebody in this process waits for the path.
func awaitedHere(path string) bool {
	lines.Lock()
	defer lines.Unlock()
	return lines.byPath[path] != nil
}

// join stands a new waiter at the end of the path's line. Where there is none
// yet, it begins from the place that the waiter has; else that is given up.
func join(path string, o Options, from place) *waiter {
	lines.Lock()
	defer lines.Unlock()
	l := lines.byPath[path]
	if l == nil {
		l = &line{path: path, from: from}
		lines.byPath[path] = l
		go l.serve()
	} else {
		from.leave()
	}
	w := &waiter{line: l, opts: o, result: make(chan result, 1)}
	l.waiters = append(l.waiters, w)
	return w
}

// leave ends the wait. A lock that was handed over meanwhile is released.
func (w *waiter) leave() {
	lines.Lock()
	stood := false
	for i, other := range w.line.waiters {
		if other == w {
			w.line.waiters = append(w.line.waiters[:i], w.line.waiters[i+1:]...)
			stood = true
			break
		}
	}
	lines.Unlock()
	if stood {
		return
	}
	r := <-w.result
	r.lock.releaseUnused()
}

// serve gets the lock for one waiter after the other. While one of them holds
// it, serve already waits for the next.
func (l *line) serve() {
	defer func() { l.from.leave() }() // where all waiters left before it was needed
	for o, more := l.first(); more; o, more = l.first() {
		lock, err := acquire(l.path, o, l.from, l.wanted)
		l.from = place{}
		if lock != nil || err != nil {
			l.hand(result{lock, err})
		}
	}
}

// first returns the options of the first waiter, or dissolves the line.
func (l *line) first() (Options, bool) {
	lines.Lock()
	defer lines.Unlock()
	if len(l.waiters) == 0 {
		delete(lines.byPath, l.path)
		return Options{}, false
	}
	return l.waiters[0].opts, true
}

func (l *line) wanted() bool {
	lines.Lock()
	defer lines.Unlock()
	return len(l.waiters) > 0
}

// hand gives the result to whoever is first now, of those who asked for such a
// lock: it was taken for somebody who may have left. Nobody there: the lock is
// released.
func (l *line) hand(r result) {
	lines.Lock()
	var w *waiter
	if i := slices.IndexFunc(l.waiters, r.serves); i >= 0 {
		w = l.waiters[i]
		l.waiters = slices.Delete(l.waiters, i, i+1)
	}
	lines.Unlock()
	if w != nil {
		w.result <- r
	} else {
		r.lock.releaseUnused()
	}
}
