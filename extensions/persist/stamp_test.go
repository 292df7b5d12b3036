package persist

import (
	"errors"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/ownedfile"
)

// fakeDisk is a file system whose clock ticks as coarsely as the test says,
// and a clock of this process that may differ from it.
type fakeDisk struct {
	now   time.Time     // this process's clock
	skew  time.Duration // file server's clock minus ours
	tick  time.Duration
	stamp ownedfile.Stamp
	gone  bool
	stats int
	how   func(*ownedfile.Stamp) // what a writer does beside writing; nil: nothing
}

func (d *fakeDisk) clock() clock {
	return clock{
		now: func() time.Time { return d.now },
		stat: func(string) (ownedfile.Stamp, error) {
			d.stats++
			if d.gone {
				return ownedfile.Stamp{}, &backend.Error{Kind: backend.ErrNotFound}
			}
			return d.stamp, nil
		},
	}
}

// write changes the file; the time is all that shows it, if it has ticked.
func (d *fakeDisk) write() {
	at := d.now.Add(d.skew).Truncate(d.tick).UnixNano()
	d.stamp.Mtime, d.stamp.Ctime = at, at
	if d.how != nil {
		d.how(&d.stamp)
	}
}

func (d *fakeDisk) pass(t time.Duration) { d.now = d.now.Add(t) }

// TestNoWriteIsMissed plays every interleaving of a reader and a writer within
// a few ticks: whenever look says that the last load still holds, nothing may
// have been written since that load began.
func TestNoWriteIsMissed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		tick, skew time.Duration
		how        func(*ownedfile.Stamp)
	}{
		{"4 ms", 4 * time.Millisecond, 0, nil},
		{"16 ms", 16 * time.Millisecond, 0, nil},
		{"1 s", time.Second, 0, nil},
		{"2 s", 2 * time.Second, 0, nil},
		{"server 5 s behind", 4 * time.Millisecond, -5 * time.Second, nil},
		{"server 5 s ahead", time.Second, 5 * time.Second, nil},
		{"written in place, time restored", 4 * time.Millisecond, 0, oldTime},
		{"written in place, time restored, 2 s", 2 * time.Second, 0, oldTime},
		{"renamed with an old time, two inodes in turn", 4 * time.Millisecond, 0, func(s *ownedfile.Stamp) { oldTime(s); s.Ino ^= 1 }},
		{"renamed with an old time, two inodes in turn, 1 s", time.Second, 0, func(s *ownedfile.Stamp) { oldTime(s); s.Ino ^= 1 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			step := max(c.tick/3, time.Millisecond)
			for script := range 1 << 14 {
				d := &fakeDisk{now: time.Unix(1_000_000, 123_456_789), skew: c.skew, tick: c.tick, stamp: ownedfile.Stamp{Ino: 1}, how: c.how}
				play(t, d, step, script)
			}
		})
	}
}

// oldTime is what a writer sets that restores the time; only the change time
// can't be set.
func oldTime(s *ownedfile.Stamp) { s.Mtime = 999_999_000_000_000 }

// play runs seven rounds; two bits of script say of each whether the file is
// written before and after the reader looks.
func play(t *testing.T, d *fakeDisk, step time.Duration, script int) {
	d.write()
	var o observation
	stored, loaded := 0, -1
	for round := range 7 {
		if script>>(2*round)&1 != 0 {
			stored++
			d.write()
		}
		if o.look(d.clock(), "") {
			if loaded != stored {
				t.Fatalf("script %b: write %d was missed in round %d", script, stored, round)
			}
		} else {
			o.loading(d.clock())
			loaded = stored
		}
		if script>>(2*round+1)&1 != 0 {
			stored++
			d.write()
		}
		d.pass(step)
	}
}

func TestUnchangedFileCostsOneStat(t *testing.T) {
	t.Parallel()
	d := &fakeDisk{now: time.Unix(1_000_000, 0), tick: time.Nanosecond, stamp: ownedfile.Stamp{Ino: 1, Mtime: 999_999_123_456_789}}
	var o observation
	o.look(d.clock(), "")
	d.pass(time.Minute)
	if o.look(d.clock(), "") {
		t.Error("trusted before anything was loaded")
	}
	o.loading(d.clock())
	d.pass(time.Minute)
	d.stats = 0
	if !o.look(d.clock(), "") || d.stats != 1 {
		t.Errorf("not trusted, or %d stats", d.stats)
	}
	d.gone = true
	if o.look(d.clock(), "") {
		t.Error("a file that is gone counts as unchanged")
	}
}

func TestStatThatFailsProvesNothing(t *testing.T) {
	t.Parallel()
	o := observation{since: time.Unix(1, 0), present: true, loadedAt: time.Unix(100, 0)}
	broken := clock{now: time.Now, stat: func(string) (ownedfile.Stamp, error) { return ownedfile.Stamp{}, errors.New("I/O error") }}
	if o.look(broken, "") {
		t.Error("trusted a file that can't be seen")
	}
}
