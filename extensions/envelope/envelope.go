package envelope

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/msalext/msalext/extensions/backend"
)

// Options tune Wrap. Nil and the zero value are fine.
type Options struct {
	// Name is the store's name in errors. Empty: "envelope".
	Name string
	// StoreID tells stores apart that are encrypted with the same keys: what was
	// encrypted under one id doesn't open under another. It may be any text, is
	// no secret, and has to stay the same; so it should be no path.
	StoreID string
	// Logger gets warnings. Nil: slog.Default.
	Logger *slog.Logger
}

// A Store encrypts what the store in it keeps. Optional powers, versions,
// stamp and location are those of the inner store. It is safe for concurrent
// use.
type Store struct {
	opaque
	inner  backend.Store
	keys   Keys
	ring   *ring
	name   string
	id     string
	info   backend.Info
	log    *slog.Logger
	proven atomic.Bool // see sound
	apart  atomic.Bool // the keys lie elsewhere than the data
	closed atomic.Bool
	warned sync.Once
}

var _ backend.Store = (*Store)(nil)

// Wrap puts an envelope around a store, which it owns from now on: Close closes
// it, and lets go of the keys in memory. It does no I/O; see [Store.Ready].
func Wrap(s backend.Store, keys Keys, opts *Options) *Store {
	if opts == nil {
		opts = &Options{}
	}
	e := &Store{inner: s, keys: keys, ring: newRing(keys), name: opts.Name, id: opts.StoreID, log: opts.Logger}
	if e.name == "" {
		e.name = "envelope"
	}
	if e.log == nil {
		e.log = slog.Default()
	}
	e.info = wrapped(s.Info(), keys)
	return e
}

// wrapped is what an encrypted store says of itself.
func wrapped(info backend.Info, keys Keys) backend.Info {
	method := "AES-256-GCM"
	if s, ok := keys.(Source); ok {
		method += ", with a key from " + s.Source()
	}
	if info.Encrypted {
		method += "; then " + info.Method
	}
	against := "whoever has the stored bytes without the key"
	if info.Against != "" {
		against += "; " + info.Against
	}
	info.Encrypted, info.Method, info.Against = true, method, against
	info.Caps &^= backend.CanPatch // bytes of the inner store mean nothing to callers
	if info.MaxBytes > 0 {
		info.MaxBytes = max(info.MaxBytes-int64(overhead), 1)
	}
	return info
}

// Info is the inner store's, encrypted; MaxBytes is less by what an envelope
// adds at most, 199 bytes.
func (s *Store) Info() backend.Info { return s.info }

// Ready fetches the keys, and derives those that take time, so that later calls
// find them in memory. It stores nothing and creates no key; that there is none
// yet is no error. Calling it is optional.
//
// ErrInvalid: a key file lies beside the data, or a key is wrong. Else the
// error of the source of the keys.
func (s *Store) Ready(ctx context.Context) error {
	if err := s.placed(); err != nil {
		return s.fail("open", err)
	}
	if _, slow := s.keys.(Finder); slow {
		// What opens it mostly writes, too; not where it is from another source.
		if _, err := s.Load(ctx, "", backend.None); ctx.Err() != nil {
			return s.fail("open", err)
		}
	}
	_, err := s.ring.writer(ctx)
	if errors.Is(err, errNoKey) {
		return nil
	}
	return s.fail("open", err)
}

// placed refuses keys that lie where the data does.
func (s *Store) placed() error {
	p, ok := s.keys.(placed)
	if !ok || !filepath.IsAbs(s.info.Location) || s.apart.Load() {
		return nil
	}
	err := p.apartFrom(s.info.Location)
	s.apart.Store(err == nil)
	return err
}

// placed are keys that lie somewhere in the file system.
type placed interface{ apartFrom(location string) error }

// Close closes the inner store and forgets the keys.
func (s *Store) Close() error {
	s.closed.Store(true)
	s.ring.close()
	return s.inner.Close()
}

func (s *Store) fail(op string, err error) error {
	return backend.Wrap(op, s.name, backend.ErrUnavailable, err)
}

// asideMark ends the key under which the ciphertext of a lapsed key is kept, and
// quarantined that of what was set aside: so persist names it.
const (
	asideMark   = ".lapsed"
	quarantined = ".corrupt-"
)

func isLapsed(key string) bool { return strings.HasSuffix(key, asideMark) }

// isAside tells that an item was put aside, so that whether it can be read says
// nothing of the others.
func isAside(key string) bool {
	at := strings.LastIndex(key, quarantined)
	return isLapsed(key) || at >= 0 && len(key) >= at+len(quarantined)+len("20060102T150405Z")
}
