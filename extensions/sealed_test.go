package extensions_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
)

// sealed is a backend like a key store that processes share: it lists, keeps
// items elsewhere than at the location, and says that it encrypts. What it does
// is no encryption, but nothing can be read in clear.
type sealed struct {
	name string // empty: "sealed"
	max  int64
}

func (b sealed) Describe() backend.Description {
	name := b.name
	if name == "" {
		name = "sealed"
	}
	return backend.Description{Name: name, Settings: []backend.Setting{{Name: "label"}}}
}

func (b sealed) Open(_ context.Context, c backend.Config) (backend.Store, error) {
	dir := c.Path + "." + b.Describe().Name
	_, err := atomicfile.Prepare(filepath.Join(dir, "x"))
	return sealedStore{dir, b.max}, err
}

type sealedStore struct {
	dir string
	max int64
}

func (s sealedStore) at(key string) string {
	return filepath.Join(s.dir, "item-"+hex.EncodeToString([]byte(key)))
}

func mirrored(data []byte) []byte {
	data = bytes.Clone(data)
	for i := range data {
		data[i] ^= 0x5a
	}
	return data
}

func (s sealedStore) Info() backend.Info {
	return backend.Info{Encrypted: true, Method: "a mirror", Against: "tests", Location: s.dir, MaxBytes: s.max,
		Stamp: backend.StampSignal, Caps: backend.CanList}
}

func (s sealedStore) Load(_ context.Context, key string, _ backend.Version) (backend.Blob, error) {
	blob, err := atomicfile.Read(s.at(key))
	blob.Data = mirrored(blob.Data)
	return blob, err
}

func (s sealedStore) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	return atomicfile.Write(ctx, s.at(key), mirrored(data), base)
}

func (s sealedStore) Delete(ctx context.Context, key string, base backend.Version) error {
	return atomicfile.Remove(ctx, s.at(key), base)
}

func (s sealedStore) Keys(_ context.Context, prefix string) iter.Seq2[backend.KeyInfo, error] {
	return func(yield func(backend.KeyInfo, error) bool) {
		entries, err := os.ReadDir(s.dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			yield(backend.KeyInfo{}, err)
			return
		}
		for _, e := range entries {
			key, err := hex.DecodeString(strings.TrimPrefix(e.Name(), "item-"))
			if err == nil && strings.HasPrefix(string(key), prefix) && !yield(backend.KeyInfo{Key: string(key), Size: -1}, nil) {
				return
			}
		}
	}
}

func (sealedStore) Close() error { return nil }
