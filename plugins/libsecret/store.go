package libsecret

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/msalext/msalext/extensions/backend"
)

// maxBytes is what a busy machine still stores and returns within patience.
// Services would take more.
const maxBytes = 1 << 20

// store is one cache's items. Processes are kept apart by the host's lock.
type store struct {
	bus    *shared
	place  place
	limits limits
	closed atomic.Bool
	write  chan struct{} // held to compare and write, which are two calls: a mutex that a context can leave
	seen   sync.Map      // key → the item that was found last
}

var (
	_ backend.Store    = (*store)(nil)
	_ backend.Unlocker = (*store)(nil)
	_ backend.Lister   = (*store)(nil)
)

func (s *store) Info() backend.Info {
	against := "whoever has the disk, and other users, if the keyring has a password; not against other programs of the same user"
	if s.place.collection == "session" {
		against = "whoever has the disk, and other users: it is kept in memory until logout"
	}
	return backend.Info{
		Encrypted: true,
		Method:    "Secret Service, by the keyring's password",
		Against:   against,
		Location:  fmt.Sprintf("Secret Service, keyring %q, schema %q", s.place.collection, s.place.schema),
		Stamp:     backend.StampSignal,
		MaxBytes:  int64(s.limits.bytes),
		Caps:      backend.CanUnlock | backend.CanList,
	}
}

func (s *store) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	var blob backend.Blob
	err := s.do(ctx, func(ctx context.Context, service *service) error {
		_, data, err := s.load(ctx, service, key, false)
		blob = backend.Blob{Data: data, Version: version(data)}
		return err
	})
	switch {
	case err != nil:
		return backend.Blob{}, fail("load", err)
	case blob.Version == have:
		return backend.Blob{Version: have, Unchanged: true}, nil
	default:
		return blob, nil
	}
}

func (s *store) load(ctx context.Context, service *service, key string, change bool) (item, []byte, error) {
	it, stored, err := s.read(ctx, service, key, change)
	if err != nil {
		return it, nil, err
	}
	data, err := s.place.encoding.decode(stored)
	if err == nil && len(data) == 0 { // an empty item means the same as an empty file
		return it, nil, backend.ErrNotFound
	}
	return it, data, err
}

func (s *store) read(ctx context.Context, service *service, key string, change bool) (item, []byte, error) {
	if was, ok := s.seen.Load(key); ok {
		if it, stored, ok := service.again(ctx, s.place, key, was.(item), change); ok {
			return it, stored, nil
		}
	}
	it, err := service.find(ctx, s.place, key)
	if err != nil {
		return item{}, nil, err
	}
	stored, err := service.secret(ctx, it)
	if err == nil {
		s.seen.Store(key, it)
	}
	return it, stored, err
}

func (s *store) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	if err := s.takes(data); err != nil {
		return backend.None, fail("save", err)
	}
	err := s.change(ctx, key, base, func(ctx context.Context, service *service, it item) error {
		text, err := service.kept(ctx, s.place.encoding.encode(data))
		switch {
		case err != nil:
			return err
		case it.path == "":
			return service.create(ctx, s.place, key, text)
		default:
			return service.replace(ctx, s.place, it, text)
		}
	})
	if err != nil {
		return backend.None, fail("save", err)
	}
	return version(data), nil
}

func (s *store) takes(data []byte) error {
	switch {
	case len(data) == 0:
		return &backend.Error{Kind: backend.ErrInvalid, Err: errors.New("no data"), Hint: "to remove an item, delete it"}
	case len(data) > s.limits.bytes:
		return &backend.Error{
			Kind: backend.ErrTooLarge, Err: fmt.Errorf("%d bytes, at most %d", len(data), s.limits.bytes),
			Hint: "keep fewer accounts in one cache, or use the file or sqlite backend",
		}
	default:
		return nil
	}
}

func (s *store) Delete(ctx context.Context, key string, base backend.Version) error {
	return fail("delete", s.change(ctx, key, base, func(ctx context.Context, service *service, it item) error {
		if it.path == "" || it.deleted() && base == backend.None {
			return nil
		}
		return service.remove(ctx, it)
	}))
}

// change runs fn with the item if it has the version base; its path is empty
// where there is none.
func (s *store) change(ctx context.Context, key string, base backend.Version, fn func(context.Context, *service, item) error) error {
	return s.do(ctx, func(ctx context.Context, service *service) error {
		select {
		case s.write <- struct{}{}:
			defer func() { <-s.write }()
		case <-ctx.Done():
			return ctx.Err()
		}
		it, data, err := s.load(ctx, service, key, true)
		if err != nil && !errors.Is(err, backend.ErrNotFound) {
			return err
		}
		if version(data) != base {
			return backend.ErrConflict
		}
		return fn(ctx, service, it)
	})
}

// Close lets go of the connection, which ends with the last store.
func (s *store) Close() error {
	if !s.closed.Swap(true) {
		s.bus.release()
	}
	return nil
}

// do runs fn with the service, within its limit. A service that was started
// again knows no session of ours: then fn, of which it refused a call before
// anything was written, runs once more.
func (s *store) do(ctx context.Context, fn func(context.Context, *service) error) error {
	within, cancel := context.WithTimeout(ctx, s.limits.answer)
	defer cancel()
	err := s.once(within, fn)
	if stale(err) {
		err = s.once(within, fn)
	}
	return s.explain(ctx, err)
}

func (s *store) explain(ctx context.Context, err error) error {
	if err != nil && s.closed.Load() {
		return backend.ErrClosed
	}
	return explain(ctx, err)
}

func (s *store) once(ctx context.Context, fn func(context.Context, *service) error) error {
	if s.closed.Load() {
		return backend.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	service, err := s.bus.use(ctx, s.place.activate)
	if err != nil {
		return err
	}
	if err = fn(ctx, service); stale(err) {
		s.bus.forget(service)
	}
	return err
}

func version(data []byte) backend.Version {
	if data == nil {
		return backend.None
	}
	sum := sha256.Sum256(data)
	return backend.Version(hex.EncodeToString(sum[:]))
}
