package persist

import (
	"context"
	"time"

	"github.com/msalext/msalext/internal/filelock"
)

// clearTimeout is longer than the longest time that a lock left behind has to
// stay unchanged before it is taken over.
const clearTimeout = 15 * time.Second

// LockHolder tells people who has the item's lock: "process 4711 (az)". It is
// empty when nobody has it, and for stores that need no lock. It is what the
// lock file says, and the process may be gone. It takes no lock.
//
// ErrDenied: the lock file isn't safe to open.
func (p *Persistence) LockHolder(ctx context.Context) (string, error) {
	s, err := p.join(ctx)
	if err != nil || s.cas() {
		return "", err
	}
	holder, err := filelock.Look(s.path(p.key))
	return holder, s.fail("look at the lock", err)
}

// ClearLock removes the item's lock if its holder is gone, and tells whether one
// was removed. A lock that is free, or that its holder releases meanwhile, is
// none to remove. Every update does the same by itself; ClearLock is for people
// who ask why a program waits.
//
// ErrLockTimeout names the holder that still lives after ctx, or 15 seconds if
// that is sooner.
func (p *Persistence) ClearLock(ctx context.Context) (removed bool, err error) {
	s, err := p.join(ctx)
	if err != nil || s.cas() {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, clearTimeout)
	defer cancel()
	lock, err := filelock.Acquire(ctx, s.path(p.key), filelock.Options{Logger: s.log, Java: s.java})
	if err != nil {
		return false, s.fail("clear the lock", err)
	}
	removed = lock.AdoptedFromDead()
	if removed { // it may have died after it wrote and before it told
		s.signal(p.key)
	}
	return removed, s.fail("clear the lock", lock.Release())
}
