package dpapi

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
)

// store is one location.
type store struct {
	path    string
	machine bool
	entropy []byte
	closed  atomic.Bool
	warned  sync.Once
}

var (
	_ backend.Store  = (*store)(nil)
	_ backend.Lister = (*store)(nil)
)

func (s *store) Info() backend.Info {
	info := backend.Info{
		Encrypted: true,
		Method:    "DPAPI, current user",
		Against:   "other users, and whoever has the disk without the user's password; not against other programs of the same user",
		Location:  s.path,
		Stamp:     backend.StampData,
		Caps:      backend.CanList,
	}
	if s.machine {
		info.Method = "DPAPI, this machine"
		info.Against = "whoever has the disk in another machine; every account of this machine can decrypt it, and only the file's access list keeps others from reading it"
	}
	return info
}

// Load has the version of the encrypted bytes: encrypting the same data again
// gives others.
func (s *store) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	if err := s.usable(ctx); err != nil {
		return backend.Blob{}, fail("load", err)
	}
	blob, tightened, err := atomicfile.Load(backend.PathFor(s.path, key), have)
	s.warn(tightened)
	if err != nil || blob.Unchanged {
		return blob, fail("load", err)
	}
	sealed := blob.Data
	if blob.Data, err = unprotect(sealed, s.entropy); err != nil {
		return backend.Blob{}, fail("load", undecryptable(sealed, err))
	}
	if len(blob.Data) == 0 { // an encrypted nothing is still nothing
		return backend.Blob{}, fail("load", backend.ErrNotFound)
	}
	return blob, nil
}

func (s *store) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	if err := s.usable(ctx); err != nil {
		return backend.None, fail("save", err)
	}
	if len(data) == 0 {
		return backend.None, fail("save", &backend.Error{Kind: backend.ErrInvalid, Err: errors.New("no data"), Hint: "to remove an item, delete it"})
	}
	sealed, err := protect(data, s.entropy, s.machine)
	if err != nil {
		return backend.None, fail("save", &backend.Error{
			Kind: backend.ErrEncrypt, Err: err, Hint: "see that the user's profile is loaded: services may need it switched on",
		})
	}
	v, err := atomicfile.WriteItem(ctx, s.path, key, sealed, base)
	return v, fail("save", err)
}

func (s *store) Delete(ctx context.Context, key string, base backend.Version) error {
	if err := s.usable(ctx); err != nil {
		return fail("delete", err)
	}
	return fail("delete", atomicfile.RemoveItem(ctx, s.path, key, base))
}

// Keys tells the sizes of the encrypted files, and decrypts none: one that
// decrypts to nothing, as peers leave it, is listed too.
func (s *store) Keys(ctx context.Context, prefix string) iter.Seq2[backend.KeyInfo, error] {
	return func(yield func(backend.KeyInfo, error) bool) {
		if err := s.usable(ctx); err != nil { // also where nothing is stored
			yield(backend.KeyInfo{}, fail("list", err))
			return
		}
		for info, err := range atomicfile.Keys(ctx, s.path, prefix) {
			if err == nil {
				err = s.usable(ctx)
			}
			if err != nil {
				yield(backend.KeyInfo{}, fail("list", err))
				return
			}
			if !yield(info, nil) {
				return
			}
		}
	}
}

// Close frees nothing: files are open only within calls.
func (s *store) Close() error {
	s.closed.Store(true)
	return nil
}

func (s *store) usable(ctx context.Context) error {
	if s.closed.Load() {
		return backend.ErrClosed
	}
	return ctx.Err()
}

// What CryptUnprotectData fails with, from winerror.h.
const (
	invalidData  = syscall.Errno(13)
	badKeyState  = syscall.Errno(0x8009000B)
	unknownBytes = "the file was damaged, was encrypted with another entropy, or isn't DPAPI's; it is kept"
)

func undecryptable(sealed []byte, err error) error {
	e := &backend.Error{Kind: backend.ErrDecrypt, Err: err, Hint: unknownBytes}
	switch {
	case bytes.HasPrefix(bytes.TrimSpace(sealed), []byte("{")):
		e.Hint = "the file isn't encrypted: another program or the file backend wrote it; it is kept"
	case errors.Is(err, badKeyState):
		e.Hint = "run as the user who stored it, on the same machine; after a password reset by an administrator, move the file away and sign in again"
	case errors.Is(err, invalidData):
		e.Hint = "set the entropy that it was stored with, or move the file away and sign in again; it is kept"
	}
	return e
}
