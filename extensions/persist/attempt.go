package persist

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// verdict is an error of the caller's own function. Whatever it wraps, also an
// ErrConflict, says nothing of the item: so it has no Unwrap.
type verdict struct{ error }

// replace is one attempt at load, change, save.
func (s *shared) replace(ctx context.Context, key string, from basis, fn func([]byte) ([]byte, error), publish func() error) (basis, error) {
	if s.seems(key, from) {
		if now, settled, err := s.guess(ctx, key, from, fn, publish); settled {
			return now, err
		}
	}
	old, err := s.load(ctx, key, from.blob.Version)
	switch {
	case err != nil && !errors.Is(err, backend.ErrNotFound):
		return basis{blob: old}, err
	case old.Unchanged:
		old = from.blob
	}
	now, _, err := s.change(ctx, key, old, fn, publish)
	return now, err
}

// change makes what fn makes of old, and saves that. sent tells whether the
// store was asked to.
func (s *shared) change(ctx context.Context, key string, old backend.Blob, fn func([]byte) ([]byte, error), publish func() error) (now basis, sent bool, err error) {
	now = basis{blob: old}
	data, err := fn(old.Data)
	switch {
	case err != nil:
		return now, false, verdict{err}
	case data == nil, len(data) == 0 && len(old.Data) > 0:
		return now, false, &backend.Error{Op: "save", Backend: s.name, Kind: backend.ErrInvalid, Err: errors.New("there is nothing to save"), Hint: "use Delete to remove what is stored"}
	case bytes.Equal(data, old.Data):
		return now, false, nil
	}
	if err := publish(); err != nil {
		return now, false, err
	}
	ended := s.own.begin(key)
	version, err := s.save(ctx, key, data, old.Version)
	ended(old.Version, version, err)
	if !errors.Is(err, backend.ErrConflict) {
		s.signal(key) // after a failure too: the write may have happened
	}
	if err != nil {
		return now, true, err
	}
	s.sign(key)
	return s.stamped(key, backend.Blob{Data: data, Version: version}), true, nil
}

func (s *shared) remove(ctx context.Context, key string, publish func() error) error {
	old, err := s.load(ctx, key, backend.None)
	if errors.Is(err, backend.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	if err := publish(); err != nil {
		return err
	}
	ended := s.own.begin(key)
	_, err = bounded(ctx, s, "delete", func(ctx context.Context) (struct{}, error) {
		return struct{}{}, s.store.Delete(ctx, key, old.Version)
	})
	if unanswered(err) {
		if _, lerr := s.load(ctx, key, backend.None); errors.Is(lerr, backend.ErrNotFound) {
			err = nil
		}
	}
	ended(old.Version, backend.None, err)
	if !errors.Is(err, backend.ErrConflict) {
		s.signal(key)
	}
	return err
}

// unanswered tells that a write may have happened although it failed.
func unanswered(err error) bool {
	return errors.Is(err, backend.ErrUnavailable) || errors.Is(err, backend.ErrTimeout)
}

func (s *shared) load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	if err := s.checkLocation(); err != nil {
		return backend.Blob{}, err
	}
	start := time.Now()
	blob, err := bounded(ctx, s, "load", func(ctx context.Context) (backend.Blob, error) {
		return s.store.Load(ctx, key, have)
	})
	failure := err
	if errors.Is(err, backend.ErrNotFound) {
		failure = nil
	}
	s.observe(s.trace.Load, start, len(blob.Data), failure)
	return blob, err
}

// save writes, and when the answer is missing finds out by a Load whether the
// write happened: what was sent is there, or what was there before still is.
// Then it is sent once more; a conflict of that may be with the first, which
// came late.
func (s *shared) save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	for again := false; ; again = true {
		version, err := s.saveOnce(ctx, key, data, base)
		if !unanswered(err) && !(again && errors.Is(err, backend.ErrConflict)) {
			return version, err
		}
		now, lerr := s.load(ctx, key, backend.None)
		found := lerr == nil || errors.Is(lerr, backend.ErrNotFound)
		switch {
		case lerr == nil && bytes.Equal(now.Data, data):
			s.log.Warn("msalext: a write is there although the store failed; a power failure could still undo it", "backend", s.name, "error", err)
			return now.Version, nil
		case again, !found, now.Version != base, errors.Is(err, backend.ErrTimeout): // a second wait could outlast a peer's patience with the lock
			return version, err
		}
	}
}

func (s *shared) saveOnce(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	if s.info.MaxBytes > 0 && int64(len(data)) > s.info.MaxBytes {
		return backend.None, s.tooLarge(len(data))
	}
	start := time.Now()
	version, err := bounded(ctx, s, "save", func(ctx context.Context) (backend.Version, error) {
		return s.store.Save(ctx, key, data, base)
	})
	s.observe(s.trace.Save, start, len(data), err)
	return version, err
}

func (s *shared) tooLarge(size int) error {
	return &backend.Error{Op: "save", Backend: s.name, Kind: backend.ErrTooLarge,
		Err:  fmt.Errorf("%d bytes, and the store takes %d", size, s.info.MaxBytes),
		Hint: "choose a backend without such a limit, or a key per user"}
}
