package filelock

import (
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/msalext/msalext/internal/ownedfile"
)

// errNoFlock: the file system has no flock.
var errNoFlock = errors.New("no file locks here")

// acquire queues, takes the lock and leaves the queue. It returns nothing when
// wanted turns false meanwhile. It waits in the kernel and can't be
// interrupted there.
func acquire(path string, o Options, wanted func() bool) (*Lock, error) {
	queue, err := enterQueue(path + queueSuffix)
	switch {
	case errors.Is(err, errNoFlock):
		o.Logger.Debug("msalext: no queue for the lock, the file system has no flock", slog.String("path", path))
	case err != nil:
		return nil, ownedfile.Wrap("lock", err)
	default:
		defer queue.Close() // the next in line comes first only now, with the lock taken
	}
	if !wanted() {
		return nil, nil
	}
	t := taking{path: path + lockSuffix, opts: o}
	return t.until(wanted)
}

// taking is one attempt at the lock file, over many tries.
type taking struct {
	path    string
	opts    Options
	hurried bool // don't wait in the kernel
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
