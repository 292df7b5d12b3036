package agefile

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync/atomic"

	"filippo.io/age"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
)

// store is one location. What is hard about files is atomicfile's business: old
// or new after a crash, versions that are hashes, other users.
type store struct {
	path       string
	identities []age.Identity
	recipients []age.Recipient
	closed     atomic.Bool
}

var _ backend.Store = (*store)(nil)

func (s *store) Info() backend.Info {
	return backend.Info{
		Encrypted: true,
		Method:    "age, to the holder of an identity",
		Against:   "whoever has the file without the identity; not against programs that can read the identity",
		Location:  s.path,
		Stamp:     backend.StampData,
	}
}

// Load has the version of the encrypted bytes: encrypting the same data again
// gives others.
func (s *store) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	if err := s.usable(ctx); err != nil {
		return backend.Blob{}, fail("load", err)
	}
	blob, _, err := atomicfile.Load(backend.PathFor(s.path, key), have)
	if err != nil || blob.Unchanged {
		return blob, fail("load", err)
	}
	if blob.Data, err = s.decrypt(blob.Data); err != nil {
		return backend.Blob{}, fail("load", err)
	}
	return blob, nil
}

func (s *store) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	if err := s.usable(ctx); err != nil {
		return backend.None, fail("save", err)
	}
	if len(data) == 0 {
		return backend.None, fail("save", &backend.Error{
			Kind: backend.ErrInvalid, Err: errors.New("no data"), Hint: "to remove an item, delete it",
		})
	}
	sealed, err := s.encrypt(data)
	if err != nil {
		return backend.None, fail("save", &backend.Error{Kind: backend.ErrEncrypt, Err: err})
	}
	v, err := atomicfile.Write(ctx, backend.PathFor(s.path, key), sealed, base)
	return v, fail("save", err)
}

func (s *store) Delete(ctx context.Context, key string, base backend.Version) error {
	if err := s.usable(ctx); err != nil {
		return fail("delete", err)
	}
	return fail("delete", atomicfile.Remove(ctx, backend.PathFor(s.path, key), base))
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

func (s *store) encrypt(data []byte) ([]byte, error) {
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, s.recipients...)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return sealed.Bytes(), nil
}

// decrypt tells a key that may come back (ErrDecrypt) from bytes that nobody
// can read any more (ErrCorrupt).
func (s *store) decrypt(sealed []byte) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(sealed), s.identities...)
	if other := (*age.NoIdentityMatchError)(nil); errors.As(err, &other) {
		return nil, &backend.Error{
			Kind: backend.ErrDecrypt, Err: errors.New("it is encrypted to another identity"),
			Hint: "set the identity that it was stored with; the file is kept",
		}
	}
	var data []byte
	if err == nil {
		data, err = io.ReadAll(r)
	}
	if err != nil {
		return nil, &backend.Error{
			Kind: backend.ErrCorrupt, Err: errors.New("it isn't a whole file of age's"),
			Hint: "the file is kept: move it away and sign in again",
		}
	}
	return data, nil
}
