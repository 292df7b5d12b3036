package backendtest

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"strconv"
	"sync"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// sound is a store without faults and with every power: the reference
// backend's. The types below bend one thing each.
type sound interface {
	backend.Store
	backend.Watcher
	backend.Unlocker
	backend.Lister
	backend.Expirer
	backend.Checker
}

// ignorant saves over whatever is there, in two steps.
type ignorant struct{ sound }

func (s ignorant) Save(ctx context.Context, key string, data []byte, _ backend.Version) (backend.Version, error) {
	for {
		blob, _ := s.Load(ctx, key, backend.None)
		v, err := s.sound.Save(ctx, key, data, blob.Version)
		if !errors.Is(err, backend.ErrConflict) {
			return v, err
		}
	}
}

// deleter deletes whatever is there.
type deleter struct{ sound }

func (s deleter) Delete(ctx context.Context, key string, base backend.Version) error {
	if blob, err := s.Load(ctx, key, backend.None); err == nil {
		base = blob.Version
	}
	return s.sound.Delete(ctx, key, base)
}

// hasty compares first and saves later, and announces that it is one step.
type hasty struct{ sound }

func (s hasty) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	blob, err := s.Load(ctx, key, backend.None)
	if blob.Version != base || err != nil && !errors.Is(err, backend.ErrNotFound) || len(data) == 0 {
		return s.sound.Save(ctx, key, data, base) // for its error
	}
	time.Sleep(100 * time.Microsecond)
	return ignorant(s).Save(ctx, key, data, base)
}

// stale returns from Save the version that it replaced, once there was one.
type stale struct{ sound }

func (s stale) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	v, err := s.sound.Save(ctx, key, data, base)
	if err == nil && key == "k" && string(data) == "three" {
		return base, nil
	}
	return v, err
}

// forgetful says unchanged of what it once had.
type forgetful struct {
	sound
	had *sync.Map
}

func (s forgetful) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	blob, err := s.sound.Load(ctx, key, have)
	if err != nil {
		return blob, err
	}
	s.had.Store(blob.Version, true)
	if _, ok := s.had.Load(have); ok && have != backend.None {
		return backend.Blob{Version: have, Unchanged: true}, nil
	}
	return blob, nil
}

func (s forgetful) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	v, err := s.sound.Save(ctx, key, data, base)
	s.had.Store(v, true)
	return v, err
}

// borrower keeps the slices that it gets.
type borrower struct {
	sound
	have *sync.Map
}

func (s borrower) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	v, err := s.sound.Save(ctx, key, data, base)
	s.have.Store(v, data)
	return v, err
}

func (s borrower) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	blob, err := s.sound.Load(ctx, key, have)
	if data, ok := s.have.Load(blob.Version); ok && !blob.Unchanged {
		blob.Data = bytes.Clone(data.([]byte))
	}
	return blob, err
}

// lender hands out the slices that it loads from.
type lender struct {
	sound
	have *sync.Map
}

func (s lender) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	blob, err := s.sound.Load(ctx, key, have)
	if err == nil && !blob.Unchanged {
		data, _ := s.have.LoadOrStore(blob.Version, blob.Data)
		blob.Data = data.([]byte)
	}
	return blob, err
}

// deaf doesn't hear that its callers have gone.
type deaf struct{ sound }

func (s deaf) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	return s.sound.Load(context.WithoutCancel(ctx), key, have)
}

func (s deaf) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	return s.sound.Save(context.WithoutCancel(ctx), key, data, base)
}

// sweeper deletes the main item with any other.
type sweeper struct{ sound }

func (s sweeper) Delete(ctx context.Context, key string, base backend.Version) error {
	err := s.sound.Delete(ctx, key, base)
	if err == nil && key != "" {
		err = deleter(s).Delete(ctx, "", backend.None)
	}
	return err
}

// cutter keeps what fits.
type cutter struct {
	sound
	most int
}

func (s cutter) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	return s.sound.Save(ctx, key, data[:min(len(data), s.most)], base)
}

// renamer keeps items under other keys than those it gets.
type renamer struct {
	sound
	rename func(string) string
}

func (s renamer) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	return s.sound.Load(ctx, s.rename(key), have)
}

func (s renamer) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	return s.sound.Save(ctx, s.rename(key), data, base)
}

func (s renamer) Delete(ctx context.Context, key string, base backend.Version) error {
	return s.sound.Delete(ctx, s.rename(key), base)
}

// recycler counts versions from 1 again when an item was deleted.
type recycler struct {
	sound
	gone *sync.Map // by key: the last version that was deleted
}

func (s recycler) shifted(key string, v backend.Version, sign int) backend.Version {
	n, err := strconv.Atoi(string(v))
	last, ok := s.gone.Load(key)
	if err != nil || !ok {
		return v
	}
	return backend.Version(strconv.Itoa(n + sign*last.(int)))
}

func (s recycler) shown(key string, v backend.Version) backend.Version  { return s.shifted(key, v, -1) }
func (s recycler) actual(key string, v backend.Version) backend.Version { return s.shifted(key, v, 1) }

func (s recycler) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	blob, err := s.sound.Load(ctx, key, s.actual(key, have))
	blob.Version = s.shown(key, blob.Version)
	return blob, err
}

func (s recycler) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	v, err := s.sound.Save(ctx, key, data, s.actual(key, base))
	return s.shown(key, v), err
}

func (s recycler) Delete(ctx context.Context, key string, base backend.Version) error {
	v := s.actual(key, base)
	err := s.sound.Delete(ctx, key, v)
	if n, number := strconv.Atoi(string(v)); err == nil && number == nil {
		s.gone.Store(key, n)
	}
	return err
}

func (s recycler) Watch(ctx context.Context, key string) iter.Seq2[backend.Version, error] {
	return func(yield func(backend.Version, error) bool) {
		for v, err := range s.sound.Watch(ctx, key) {
			if !yield(s.shown(key, v), err) {
				return
			}
		}
	}
}
