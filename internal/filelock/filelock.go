// Package filelock locks a cache file between processes, in a way that every
// MSAL Extensions library respects.
//
// # One lock, two protocols
//
// The lock of the file P is the file P.lockfile. For Python (by default) and
// Node the lock is held while that file exists; for .NET, Go and Python with
// portalocker it is held while somebody has flock on it. A [Lock] is both: the
// file is created with O_EXCL, locked with flock, and compared with what the
// path names, because peers unlink it. A file that nobody has locked belongs
// to an existence-only holder, or to one that died; its content (the process
// id) tells which.
//
// Process ids are judged only on the host and in the pid namespace that wrote
// them. A peer's file doesn't say where it was written, so a dead process id
// in it counts a little later than in one of ours.
//
// # Fairness
//
// Processes of ours first queue at P.lockqueue, which no peer knows and which
// is never removed, and wait in the kernel. Whoever is first there waits for
// the lock itself, and lets the next one come first only when it has the lock.
// So one process always stands ready, and peers that poll meet one competitor.
//
// # Limits
//
// Where the file system has no flock, existence alone is the lock, and a
// holder that died is recognised only by its file staying unchanged for ten
// seconds. Some peers remove the lock file by its path when they are done, and
// can so remove one that isn't theirs: ask [Lock.Held] right before
// publishing.
package filelock

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/ownedfile"
)

const (
	lockSuffix  = ".lockfile"
	queueSuffix = ".lockqueue"
	javaLock    = ".lockfile" // a file of its own, in the directory of the cache
)

// defaultWait is how long [Acquire] waits when ctx has no deadline.
const defaultWait = 60 * time.Second

// hurryAfter is how often those who wait look past the queue: a process that
// is stopped (Ctrl-Z, a debugger) while it is first there takes no lock, and
// must not keep others from one that is free.
const hurryAfter = 2 * time.Second

// Options are what [Acquire] doesn't need to be told. The zero value is fine.
type Options struct {
	// Program names the program to those who wait for it. Empty: the base
	// name of the executable.
	Program string
	// Logger gets what an administrator should know. Nil: slog.Default.
	Logger *slog.Logger
	// Java also takes the lock that MSAL Extensions for Java take, which is
	// another one: the file .lockfile in the directory, for all caches there.
	Java bool
}

// Acquire locks the file at path, which need not exist, against other
// processes and against other callers in this one, first come first served.
// The directory must exist. The caller must Release the lock, within seconds:
// MSAL for Python walks past a lock after five.
//
// The wait ends with ctx, without a deadline after 60 seconds. ErrLockTimeout
// names the holder, and is context.DeadlineExceeded too when the deadline was
// ctx's; a cancelled wait is context.Canceled, and no wait begins after ctx
// ended. ErrDenied: the directory can't
// be written, or a lock file isn't safe to open. ErrUnavailable: the directory
// is missing. A goroutine may outlive a wait that ended early, one for each
// path, until the lock is free.
func Acquire(ctx context.Context, path string, o Options) (*Lock, error) {
	if path == "" {
		return nil, &backend.Error{
			Op: "lock", Kind: backend.ErrInvalid, Err: errors.New("the location is empty"),
			Hint: "give the path of the file to lock",
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, backend.Wrap("lock", "", nil, err)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, ownedfile.Wrap("lock", err)
	}
	return wait(ctx, abs, o.orDefault())
}

func (o Options) orDefault() Options {
	if o.Program == "" {
		o.Program = thisProgram()
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

var thisProgram = sync.OnceValue(func() string {
	if exe, err := os.Executable(); err == nil {
		return filepath.Base(exe)
	}
	return filepath.Base(os.Args[0])
})

// wait takes the lock at once, or stands in this process's line until ctx or the default time ends.
func wait(ctx context.Context, path string, o Options) (*Lock, error) {
	l, from := atOnce(path, o)
	if l != nil {
		return l, nil
	}
	start := time.Now()
	limit := ctx
	if _, has := ctx.Deadline(); !has {
		var cancel context.CancelFunc
		limit, cancel = context.WithTimeout(ctx, defaultWait)
		defer cancel()
	}
	if l, done, err := stand(limit, path, o, from); done {
		return l, err
	}
	if err := ctx.Err(); errors.Is(err, context.Canceled) {
		return nil, backend.Wrap("lock", "", nil, err)
	}
	return nil, timeoutError(awaited(path, o), time.Since(start), ctx.Err())
}

// stand waits in line. done is false when ctx ended first.
func stand(ctx context.Context, path string, o Options, from place) (l *Lock, done bool, err error) {
	w := join(path, o, from)
	past := newAttempt(path, o) // sees over many tries who died
	impatient := time.NewTicker(hurryAfter)
	defer impatient.Stop()
	for {
		select {
		case r := <-w.result:
			return r.lock, true, r.err
		case <-ctx.Done():
			w.leave()
			return nil, false, nil
		case <-impatient.C:
			if l := past.hurry(); l != nil {
				w.leave()
				return l, true, nil
			}
		}
	}
}

// A Lock is held until Release. It is safe for concurrent use.
type Lock struct {
	path    string // of the lock file
	adopted bool
	java    *Lock // Java's, where it is held too

	mu     sync.Mutex
	file   *os.File // nil: released
	id     ownedfile.Stamp
	unused bool // nobody learned that it was adopted
}

// AdoptedFromDead tells that the previous holder didn't release the lock: what
// it guards may be half done. On Windows, where the system removes the lock
// file of a process of ours that ends, only holders of other kinds show.
func (l *Lock) AdoptedFromDead() bool {
	return l.adopted || l.java != nil && l.java.adopted
}

// Held is nil while the lock file at the path is still ours. Peers remove
// files that aren't theirs, and then somebody else may hold the lock too:
// ErrConflict. After Release it is ErrClosed.
func (l *Lock) Held() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return backend.Wrap("lock", "", nil, backend.ErrClosed)
	}
	switch {
	case !l.ours():
	case l.java != nil:
		return l.java.Held()
	default:
		return nil
	}
	return &backend.Error{
		Op: "lock", Kind: backend.ErrConflict, Err: errors.New("somebody removed the lock file " + l.path),
		Hint: "acquire the lock again and start from what is stored now",
	}
}

// ours compares what the path names with what we hold; l.mu is held. The open
// file keeps its inode number from being used again.
func (l *Lock) ours() bool {
	now, err := ownedfile.Stat(l.path)
	return err == nil && now.SameFile(l.id)
}

// Release gives the lock to whoever is next. A second call does nothing. The
// error tells that the lock file could not be removed; the lock is free
// nevertheless for those who look at more than its existence.
func (l *Lock) Release() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	var err error
	if l.java != nil {
		err = l.java.Release()
	}
	err = cmp.Or(ownedfile.Wrap("unlock", l.free()), err)
	l.file = nil
	return err
}

// releaseUnused is Release for a lock that nobody got to use. One that was
// adopted stays recognisable as left behind, so that the next holder learns it.
func (l *Lock) releaseUnused() {
	if l == nil {
		return
	}
	l.mu.Lock()
	l.unused = true
	java := l.java
	l.mu.Unlock()
	java.releaseUnused()
	_ = l.Release()
}
