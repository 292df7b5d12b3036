package persist

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/filelock"
	"github.com/msalext/msalext/internal/ownedfile"
)

// updateTimeout ends the retries of an Update whose ctx has no deadline; the
// wait for the lock ends after the same time. Neither is a deadline of ctx,
// since context.DeadlineExceeded tells callers that theirs has passed.
const updateTimeout = 60 * time.Second

// Load returns the item, or ErrNotFound when nothing was ever saved. It takes
// no lock: of a peer that writes in place it may see half a write. Update sees
// what is there while peers that respect the lock don't write.
func (p *Persistence) Load(ctx context.Context) ([]byte, error) {
	s, err := p.join(ctx)
	if err != nil {
		return nil, err
	}
	b, err := s.load(ctx, p.key, backend.None)
	return b.Data, err
}

// Save replaces the item, whatever it was. It fails and changes nothing when
// what is stored can't be read. To change what is there, use Update: between
// a Load and a Save another process may write.
func (p *Persistence) Save(ctx context.Context, data []byte) error {
	s, err := p.join(ctx)
	if err != nil {
		return err
	}
	left, err := p.update(ctx, s.saved.before(p.key, data), func([]byte) ([]byte, error) { return data, nil })
	if err == nil {
		s.saved.after(p.key, data, left)
	}
	return err
}

// Update changes the item exclusively across processes: fn gets what is
// stored now, nil when nothing is, and returns what shall be. Equal bytes are
// not written; nil is ErrInvalid (Delete removes an item); fn's own error
// ends the Update and is returned as it is.
//
// fn may run more than once, and must neither keep nor change what it was
// given. It must be quick, since other processes wait, and must not update
// the same item: that fails with ErrInvalid and doesn't deadlock.
//
// With a ctx without deadline it gives up after 60 seconds. ErrLockTimeout names
// who held the lock all that time; ErrConflict tells that others kept changing
// the item.
func (p *Persistence) Update(ctx context.Context, fn func(old []byte) ([]byte, error)) error {
	s, err := p.join(ctx)
	if err != nil {
		return err
	}
	_, err = p.update(ctx, basis{}, s.marked(p.key, fn))
	return err
}

// update is Update, and returns what is stored afterwards.
func (p *Persistence) update(ctx context.Context, from basis, fn func([]byte) ([]byte, error)) (basis, error) {
	s, err := p.join(ctx)
	if err != nil {
		return basis{}, err
	}
	var stored basis
	err = s.exclusively(ctx, "save", p.key, func(ctx context.Context, publish func() error) error {
		stored, err = s.replace(ctx, p.key, from, fn, publish)
		return err
	})
	if own, ok := err.(verdict); ok {
		err = own.error
	}
	return stored, err
}

// Delete removes the item; nothing stored is no error. An item that can't be
// read is kept, and the error says why.
func (p *Persistence) Delete(ctx context.Context) error {
	s, err := p.join(ctx)
	if err != nil {
		return err
	}
	return s.exclusively(ctx, "delete", p.key, func(ctx context.Context, publish func() error) error {
		return s.remove(ctx, p.key, publish)
	})
}

// errLost: the lock file was taken from us, so what was read under it may be
// stale.
var errLost = errors.New("a peer removed the lock")

// exclusively runs change under the item's lock, or without one where the
// store compares and swaps, again and again until nobody interfered. change
// calls publish right before it writes.
func (s *shared) exclusively(ctx context.Context, op, key string, change func(_ context.Context, publish func() error) error) error {
	if err := s.enter(op, key); err != nil {
		return err
	}
	return s.untilUndisturbed(ctx, op, func() error { return s.once(ctx, op, key, change) })
}

// untilUndisturbed runs try again and again, with growing pauses, until nobody
// interfered.
func (s *shared) untilUndisturbed(ctx context.Context, op string, try func() error) error {
	began := time.Now()
	var giveUp <-chan time.Time
	for wait := time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		err := try()
		if !errors.Is(err, errLost) && !errors.Is(err, backend.ErrConflict) {
			return err
		}
		if _, has := ctx.Deadline(); !has && giveUp == nil {
			giveUp = time.After(updateTimeout - time.Since(began))
		}
		s.observe(s.trace.Conflict, time.Now(), 0, err)
		select {
		case <-ctx.Done():
			return s.fail(op, &backend.Error{Kind: backend.ErrConflict, Err: context.Cause(ctx), Hint: hintConflict})
		case <-giveUp:
			return s.fail(op, &backend.Error{Kind: backend.ErrConflict, Err: fmt.Errorf("tried for %s", updateTimeout), Hint: hintConflict})
		case <-time.After(wait):
		}
	}
}

const hintConflict = "others keep changing the item; try again"

func (s *shared) once(ctx context.Context, op, key string, change func(context.Context, func() error) error) error {
	if s.cas() {
		return change(ctx, func() error { return s.claimLocation(ctx) })
	}
	lock, err := s.acquire(ctx, op, key, s.java)
	if err != nil {
		return err
	}
	defer s.release(lock)
	ctx, cancel := context.WithTimeoutCause(ctx, s.limit, errHeldTooLong)
	defer cancel()
	return change(ctx, func() error { return s.publishable(ctx, op, lock) })
}

// acquire takes the lock of an item, in a directory that it creates, and on
// request Java's for that directory.
func (s *shared) acquire(ctx context.Context, op, key string, java bool) (*filelock.Lock, error) {
	path := s.path(key)
	if err := ownedfile.MkdirAll(filepath.Dir(path)); err != nil {
		return nil, s.fail(op, err)
	}
	s.sweepProbes()
	start := time.Now()
	lock, err := filelock.Acquire(ctx, path, filelock.Options{Logger: s.log, Java: java})
	s.observe(s.trace.LockWait, start, 0, err)
	if err != nil {
		return nil, s.fail(op, err)
	}
	if lock.AdoptedFromDead() {
		s.signal(key) // its owner may have died between write and signal
	}
	return lock, nil
}

// release gives a lock back. What was done under it is done, so a failure is
// no more than a warning.
func (s *shared) release(lock *filelock.Lock) {
	if err := lock.Release(); err != nil {
		s.log.Warn("msalext: the lock could not be released", "backend", s.name, "error", err)
	}
}

// publishable tells whether time, record and lock still allow a write.
func (s *shared) publishable(ctx context.Context, op string, lock *filelock.Lock) error {
	err := s.claimLocation(ctx)
	if cause := context.Cause(ctx); errors.Is(cause, errHeldTooLong) { // also why the claim failed
		return s.slow(op, cause)
	}
	if err != nil {
		return err
	}
	if err := lock.Held(); err != nil {
		return fmt.Errorf("%w: %w", errLost, err)
	}
	return nil
}
