package filelock

import (
	"time"

	"github.com/msalext/msalext/internal/ownedfile"
)

// How long a lock file that nobody has locked must stay unchanged before it
// counts as left behind.
const (
	// A holder of ours is dead; it may have died a moment ago.
	graceOurs = 20 * time.Millisecond
	// A peer's process id isn't alive here. It could be of another pid
	// namespace (a container), and peers hold the lock for milliseconds.
	gracePeer = 500 * time.Millisecond
	// The content says nothing (a peer creates the file first, writes then),
	// or the process id was given to a younger process.
	graceUnsure = 800 * time.Millisecond
	// The holder can't be judged from here.
	graceForeign = 10 * time.Second
)

// clockSlack is how much a process may seem younger than the file it wrote:
// file systems keep whole seconds, and the boot time is rounded.
const clockSlack = 2 * time.Second

// forEver is the grace of a holder that lives.
const forEver time.Duration = -1

// graceFor tells how long to watch a lock file with this content. modified is
// its time, flock whether the file system has flock.
func graceFor(h holder, modified time.Time, flock bool) time.Duration {
	me := here()
	switch {
	case !flock: // others may be on other machines, whatever the name says
		return graceForeign
	case h.pid == 0:
		return graceUnsure
	case h.host != "" && (h.host != me.host || h.ns != me.ns):
		return graceForeign
	}
	p := lookUp(h.pid)
	switch {
	case h.host != "" && (!p.alive || h.start != "" && p.start != "" && p.start != h.start):
		return graceOurs
	case h.host != "":
		return forEver
	case !p.alive:
		return gracePeer
	case !p.began.IsZero() && p.began.After(modified.Add(clockSlack)):
		return graceUnsure
	}
	return forEver
}

// watched measures how long a file has stayed the same, by our own clock: file
// times may come from another machine's.
type watched struct {
	id    ownedfile.Stamp
	since time.Time
}

func (w *watched) unchangedFor(id ownedfile.Stamp, d time.Duration) bool {
	if id != w.id || w.since.IsZero() {
		*w = watched{id, time.Now()}
	}
	return time.Since(w.since) >= d
}
