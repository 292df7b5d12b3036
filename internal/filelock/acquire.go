package filelock

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/msalext/msalext/internal/ownedfile"
)

var (
	errNoFlock = errors.New("no file locks here") // the file system has none
	errBusy    = errors.New("somebody has it")
)

// place is the first one in the queue of processes. The zero value is nobody's.
type place struct {
	queue *os.File // closing it lets the next one come first
	tried *attempt // what was seen of the lock from there
}

// acquire queues, unless the place is taken already, takes the lock and leaves
// the queue. It returns nothing when wanted turns false meanwhile. It waits in
// the kernel and can't be interrupted there.
func acquire(path string, o Options, from place, wanted func() bool) (*Lock, error) {
	if from.queue == nil {
		var err error
		from, err = queueUp(path, o)
		if err != nil {
			return nil, err
		}
	}
	defer from.leave() // with the lock taken
	return from.tried.until(wanted)
}

func queueUp(path string, o Options) (place, error) {
	queue, err := enterQueue(path+queueSuffix, true)
	if errors.Is(err, errNoFlock) {
		o.Logger.Debug("msalext: no queue for the lock, the file system has no flock", slog.String("path", path))
	} else if err != nil {
		return place{}, ownedfile.Wrap("lock", err)
	}
	return place{queue, newAttempt(path, o)}, nil
}

func (p place) leave() {
	if p.queue != nil {
		_ = p.queue.Close()
	}
}

// atOnce takes a lock that is free, and that nobody waits for, without a
// goroutine to wait for it. Who gets only the first place in the queue so, keeps
// that. Errors are found again by whoever waits.
func atOnce(path string, o Options) (*Lock, place) {
	if awaitedHere(path) {
		return nil, place{}
	}
	queue, err := enterQueue(path+queueSuffix, false)
	if err != nil {
		return nil, place{}
	}
	first := place{queue, newAttempt(path, o)}
	l := first.tried.once()
	if l != nil {
		first.leave()
		return l, place{}
	}
	return nil, first
}

// attempt is one caller's way to the lock, and to Java's where that is asked
// for. Who holds Java's never waits for ours, so that no two wait for each
// other.
type attempt struct{ main, java taking }

func newAttempt(path string, o Options) *attempt {
	return &attempt{
		main: taking{path: path + lockSuffix, opts: o},
		java: taking{path: javaPath(path), opts: o},
	}
}

// javaPath is the lock file that MSAL Extensions for Java use for this cache and
// all others in its directory.
func javaPath(path string) string { return filepath.Join(filepath.Dir(path), javaLock) }

// until tries without queueing.
func (a *attempt) until(wanted func() bool) (*Lock, error) {
	l, err := a.main.until(wanted)
	if l == nil || !a.main.opts.Java {
		return l, err
	}
	if l.java, err = a.java.until(wanted); l.java == nil {
		l.releaseUnused()
		return nil, err
	}
	return l, nil
}

// once tries once, without waiting.
func (a *attempt) once() *Lock {
	a.main.hurried, a.java.hurried = true, true
	defer func() { a.main.hurried, a.java.hurried = false, false }()
	l, _ := a.main.try()
	if l == nil || !a.main.opts.Java {
		return l
	}
	if l.java, _ = a.java.try(); l.java == nil {
		l.releaseUnused()
		return nil
	}
	return l
}

// hurry tries at once, past the queue. An error reaches those in the queue too.
func (a *attempt) hurry() *Lock {
	a.main.hurried, a.java.hurried = true, true
	tries := 2 // one for each
	l, _ := a.until(func() bool { tries--; return tries >= 0 })
	return l
}

// taking is one attempt at a lock file, over many tries.
type taking struct {
	path    string
	opts    Options
	hurried bool // don't wait in the kernel
	waited  bool // the last try did
	watched watched
	platform
}

// shortest and longest bound the pauses between tries where the kernel can't
// tell when the holder is done. Peers poll at 10 to 250 ms.
const (
	shortest = 500 * time.Microsecond
	longest  = 10 * time.Millisecond
)

// until tries until it has the lock, fails, or nobody wants it any more.
func (t *taking) until(wanted func() bool) (*Lock, error) {
	pause := time.Duration(0) // the first miss is mostly a holder that just left
	for wanted() {
		l, err := t.try()
		if l != nil || err != nil {
			return l, err
		}
		if t.waited { // for somebody who is gone now
			pause = 0
		}
		time.Sleep(pause)
		pause = min(max(2*pause, shortest), longest)
	}
	return nil, nil
}

// stale judges a lock file that nobody has locked with flock: true when it has
// been unchanged for as long as its content demands.
func (t *taking) stale(f *os.File, id ownedfile.Stamp, flock bool) bool {
	grace := graceFor(parse(content(f)), id.Modified(), flock)
	return grace != forEver && t.watched.unchangedFor(id, grace)
}

// content reads what a lock file says; unreadable is as good as empty.
func content(f *os.File) []byte {
	buf := make([]byte, maxContent)
	n, _ := f.ReadAt(buf, 0)
	return buf[:max(n, 0)]
}

// inscribe writes who holds the lock, for peers (the process id first) and for
// people. An empty file isn't truncated: ext4 would write its blocks out at
// close (auto_da_alloc), which makes a lock cost a millisecond.
func inscribe(f *os.File, o Options) error {
	if fi, err := f.Stat(); err != nil || fi.Size() > 0 {
		if err := f.Truncate(0); err != nil {
			return err
		}
	}
	_, err := f.WriteAt(self(o.Program).format(), 0)
	return err
}

// held makes the Lock of a file that we have. A full disk doesn't prevent it:
// the file's existence and flock are the lock, its content helps when we die.
func (t *taking) held(f *os.File, adopted bool) (*Lock, error) {
	if err := inscribe(f, t.opts); err != nil {
		t.opts.Logger.Debug("msalext: the lock file doesn't name this process", slog.String("path", t.path), slog.Any("error", err))
	}
	id, err := ownedfile.StatOpen(f)
	if err != nil {
		discard(t.path, f)
		return nil, ownedfile.Wrap("lock", err)
	}
	if adopted {
		t.opts.Logger.Debug("msalext: took over the lock of a process that ended without releasing it", slog.String("path", t.path))
	}
	return &Lock{path: t.path, adopted: adopted, file: f, id: id}, nil
}
