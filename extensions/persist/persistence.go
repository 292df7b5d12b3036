package persist

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/record"
)

// MSAL Extensions for Python walk past a lock after 5 seconds. So a store's
// Load, Save and Delete are bounded, and so is all that is done under one lock.
const (
	callTimeout = 3 * time.Second
	lockTimeout = 4500 * time.Millisecond
)

// errHeldTooLong is why a ctx ended that bounds what is done under the lock.
var errHeldTooLong = errors.New("it took too long under the lock")

// Options are what New needs beyond a store. Nil and the zero value are fine.
type Options struct {
	// ClaimedBy tells, for people, who says that the store encrypts: "linked
	// into this program", or a plugin's path.
	ClaimedBy string
	// Trace is told what happens, with durations; nil: nobody is.
	Trace *Trace
	// Logger gets warnings; nil: slog.Default.
	Logger *slog.Logger
	// JavaLock also takes the lock of MSAL Extensions for Java around each change:
	// the file .lockfile in the item's directory, one for all items there.
	JavaLock bool
}

// A Persistence is one item of a store, shared between processes. It is safe
// for concurrent use.
type Persistence struct {
	opening *opening
	key     string
}

// opening is a store that is open, or will be: ready closes once store or err
// is set.
type opening struct {
	ready <-chan struct{}
	store *shared
	err   error
}

// shared is what all items of one opened store have in common.
type shared struct {
	store  backend.Store
	name   string
	config backend.Config
	info   backend.Info
	claims string // who says that the store encrypts
	java   bool   // Options.JavaLock
	trace  *Trace
	log    *slog.Logger
	limit  time.Duration // lockTimeout, but for tests

	life  context.Context // ends with Close
	letGo context.CancelFunc
	own   ownWrites
	saved saved

	unrecorded sync.Once //  the warning that the record can't be kept
	recorded   recorded

	notices *notices // systemNotices, but for tests
	pace    pace     // usualPace, but for tests
}

// New returns the main item of a store that is open. The name is the
// backend's; c must be what the store was opened with, c.Path absolute. The
// Persistence owns the store from now on: Close closes it.
func New(name string, s backend.Store, c backend.Config, opts *Options) *Persistence {
	if opts == nil {
		opts = &Options{}
	}
	trace := opts.Trace
	if trace == nil {
		trace = &Trace{}
	}
	log := opts.Logger
	if log == nil {
		log = slog.Default()
	}
	ready := make(chan struct{})
	close(ready)
	life, letGo := context.WithCancel(context.Background())
	return &Persistence{opening: &opening{ready: ready, store: &shared{
		store: s, name: name, config: c, info: s.Info(), claims: opts.ClaimedBy, java: opts.JavaLock, trace: trace, log: log, limit: lockTimeout,
		life: life, letGo: letGo, notices: systemNotices, pace: usualPace,
	}}}
}

// Later returns at once a Persistence whose store open opens meanwhile, in a
// goroutine of its own: the store's main item, whichever open returns. The
// first use of any method waits for it; when open fails, every method reports
// that error, and those without an error result answer the zero value.
func Later(open func() (*Persistence, error)) *Persistence {
	ready := make(chan struct{})
	o := &opening{ready: ready}
	go func() {
		defer close(ready)
		p, err := open()
		if err != nil {
			o.err = err
			return
		}
		<-p.opening.ready
		o.store, o.err = p.opening.store, p.opening.err
	}()
	return &Persistence{opening: o}
}

// join waits until the store is open or ctx ends.
func (p *Persistence) join(ctx context.Context) (*shared, error) {
	select {
	case <-p.opening.ready:
		return p.opening.store, p.opening.err
	default:
	}
	select {
	case <-p.opening.ready:
		return p.opening.store, p.opening.err
	case <-ctx.Done():
		return nil, &backend.Error{Op: "open", Err: fmt.Errorf("waiting for the store: %w", context.Cause(ctx))}
	}
}

// opened is join without an end, for methods that answer no error.
func (p *Persistence) opened() *shared {
	_, _ = p.join(context.Background())
	return p.now()
}

// now is the store if it is open by now, else one that knows nothing.
func (p *Persistence) now() *shared {
	select {
	case <-p.opening.ready:
		if p.opening.err == nil {
			return p.opening.store
		}
	default:
	}
	return &shared{trace: &Trace{}, log: slog.Default()}
}

// Key returns another item of the same store, such as one user's cache. The
// name "" is the main item; any other string will do. Closing either closes
// the store for both.
func (p *Persistence) Key(name string) *Persistence {
	return &Persistence{opening: p.opening, key: name}
}

// Backend is the name of the backend that keeps the item: "file",
// "libsecret". It waits for a store that is still opening, and is empty when
// that failed.
func (p *Persistence) Backend() string { return p.opened().name }

// Location is where the application said that the store lies. It waits as
// Backend does.
func (p *Persistence) Location() string { return p.opened().config.Location }

// IsEncrypted tells whether the store encrypts what it keeps. Set-up code
// checks it before the first sign-in. It waits as Backend does; false when
// the store could not be opened.
func (p *Persistence) IsEncrypted() bool { return p.opened().info.Encrypted }

// Close lets go of the store, for all its items, and ends their watches. Calls
// that begin later fail with ErrClosed; a second Close does nothing.
func (p *Persistence) Close() error {
	s, err := p.join(context.Background())
	if err != nil {
		return nil // nothing was opened: who opened it has been told why
	}
	s.letGo()
	return s.fail("close", s.store.Close())
}

// Protection tells what keeps others from reading the item.
type Protection struct {
	Encrypted bool
	Method    string // what encrypts: "DPAPI, current user"; empty: nothing does
	Against   string // who can't read the item: "other users, by file mode 0600"
	ClaimedBy string // who says so
}

// String is one line for people: "not encrypted; kept from other users …".
func (p Protection) String() string {
	text := "not encrypted"
	if p.Encrypted {
		text = "encrypted by " + p.Method
	}
	if p.Against != "" {
		text += "; kept from " + p.Against
	}
	if p.ClaimedBy != "" {
		text += " (says " + p.ClaimedBy + ")"
	}
	return text
}

// Protection tells what encrypts the item, against whom, and who claims it. It
// waits as Backend does.
func (p *Persistence) Protection() Protection {
	s := p.opened()
	return Protection{Encrypted: s.info.Encrypted, Method: s.info.Method, Against: s.info.Against, ClaimedBy: s.claims}
}

func (s *shared) cas() bool { return s.info.Caps&backend.CanCAS != 0 }

// path is where the key's file lies: data or signal, and the lock beside it.
func (s *shared) path(key string) string { return backend.PathFor(s.config.Path, key) }

func (s *shared) fail(op string, err error) error {
	return backend.Wrap(op, s.name, backend.ErrUnavailable, err)
}

// record is what this store leaves beside the cache for whoever opens it next.
func (s *shared) record() record.Record {
	return record.Record{Backend: s.name, Encrypted: s.info.Encrypted}
}

// bounded runs one call of the store within callTimeout, and tells the store's
// deadlines from the caller's.
func bounded[T any](ctx context.Context, s *shared, op string, call func(context.Context) (T, error)) (T, error) {
	limited, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	v, err := call(limited)
	if err == nil {
		return v, nil
	}
	switch cause := context.Cause(ctx); {
	case !errors.Is(err, context.DeadlineExceeded):
	case cause == nil:
		err = s.slow(op, fmt.Errorf("no answer within %s", callTimeout))
	case errors.Is(cause, errHeldTooLong):
		err = s.slow(op, cause)
	}
	return v, s.fail(op, err)
}

func (s *shared) slow(op string, err error) error {
	return &backend.Error{Op: op, Backend: s.name, Kind: backend.ErrTimeout, Err: err,
		Hint: "see whether the store hangs, then try again"}
}
