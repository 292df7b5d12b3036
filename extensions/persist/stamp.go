package persist

import (
	"errors"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/ownedfile"
)

// A file's stamp (device, inode, size, times) shows that it changed, but equal
// stamps don't show that it didn't: two writes within one tick of the file
// system's clock can look the same. So a stamp proves something only about
// loads that began a tick after it was first seen: whoever wrote later than
// that would have got another time. Counting from the first sight by this
// process's own clock, and not from the file's times, also holds where the
// file server's clock is off.

const (
	// fineTick covers the timer ticks (1 to 16 ms) that file systems with
	// sub-second times go by.
	fineTick = 50 * time.Millisecond
	// coarseTick covers file systems that store whole seconds, or, like FAT,
	// every other one.
	coarseTick = 2100 * time.Millisecond
)

// clock is what observation asks of the world, so that tests can answer.
type clock struct {
	stat func(path string) (ownedfile.Stamp, error)
	now  func() time.Time
}

var systemClock = clock{stat: ownedfile.Stat, now: time.Now}

// observation is what was seen of an item's file, and when it was last loaded.
// The zero value has seen nothing.
type observation struct {
	stamp    ownedfile.Stamp
	present  bool
	since    time.Time // when stamp was first seen; zero: never looked
	loadedAt time.Time // when the last load began
	proven   bool      // that it began late enough
}

// look stats the file once and tells whether the last load still holds.
func (o *observation) look(c clock, path string) (fresh bool) {
	stamp, err := c.stat(path)
	if err != nil && !errors.Is(err, backend.ErrNotFound) {
		*o = observation{}
		return false
	}
	present := err == nil
	if o.since.IsZero() || stamp != o.stamp || present != o.present {
		*o = observation{stamp: stamp, present: present, since: c.now()} // after the stat, which may take longer than a tick
		return false
	}
	o.proven = o.proven || o.loadedAt.After(o.since.Add(o.tick()))
	return o.proven
}

// loading notes that a load begins now; look came before it.
func (o *observation) loading(c clock) { o.loadedAt = c.now() }

// tick is how long the file's times may stand still while it changes.
func (o *observation) tick() time.Duration {
	const second = int64(time.Second)
	if o.stamp.Mtime%second == 0 && o.stamp.Ctime%second == 0 {
		return coarseTick
	}
	return fineTick
}
