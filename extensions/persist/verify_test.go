package persist

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"path/filepath"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
)

func TestVerify(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	honest, _ := onDisk(t, path)
	if err := honest.Verify(t.Context()); err != nil {
		t.Errorf("a store that works: %v", err)
	}
	liar, s := onDisk(t, path)
	s.info = func(i backend.Info) backend.Info { i.Encrypted = true; return i }
	liar = New("liar", s, liar.opening.store.config, nil)
	if err := liar.Verify(t.Context()); !errors.Is(err, backend.ErrEncrypt) {
		t.Errorf("a store that lies of encryption: %v", err)
	}
	mem, ms := inMemory(t)
	ms.onSave = func(_ context.Context, save func() (backend.Version, error)) (backend.Version, error) {
		v, err := save()
		if err == nil {
			ms.onLoad = func(context.Context) error { return backend.ErrDecrypt }
		}
		return v, err
	}
	if err := mem.Verify(t.Context()); !errors.Is(err, backend.ErrDecrypt) {
		t.Errorf("a store that doesn't give back: %v", err)
	}
	wantNoProbe(t, path)
}

// coded is a store that says it encrypts, and does something else.
type coded struct {
	backend.Store
	encode func([]byte) []byte
	decode func([]byte) []byte
}

func (coded) Info() backend.Info { return backend.Info{Encrypted: true, Stamp: backend.StampData} }

func (c coded) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	return c.Store.Save(ctx, key, c.encode(data), base)
}

func (c coded) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	blob, err := c.Store.Load(ctx, key, have)
	blob.Data = c.decode(blob.Data)
	return blob, err
}

func TestVerifyLooksIntoTheFile(t *testing.T) {
	t.Parallel()
	framed := func(prefix string) (encode, decode func([]byte) []byte) {
		encode = func(b []byte) []byte {
			return []byte("{" + base64.StdEncoding.EncodeToString(append([]byte(prefix), b...)) + "}")
		}
		decode = func(b []byte) []byte {
			b, _ = base64.StdEncoding.DecodeString(string(bytes.Trim(b, "{}")))
			return b[len(prefix):]
		}
		return encode, decode
	}
	mirrored := func(b []byte) []byte {
		b = bytes.Clone(b)
		for i := range b {
			b[i] ^= 0x5a
		}
		return b
	}
	same := func(b []byte) []byte { return b }
	damaging := func(b []byte) []byte { return append(bytes.Clone(b), '!') }
	stores := map[string]coded{
		"hidden":  {encode: mirrored, decode: mirrored},
		"clear":   {encode: same, decode: same},
		"damaged": {encode: mirrored, decode: func(b []byte) []byte { return damaging(mirrored(b)) }},
	}
	wants := map[string]error{"hidden": nil, "clear": backend.ErrEncrypt, "damaged": backend.ErrCorrupt}
	for _, prefix := range []string{"", "1", "12", "123"} {
		encode, decode := framed(prefix)
		stores["base64 after "+prefix], wants["base64 after "+prefix] = coded{encode: encode, decode: decode}, backend.ErrEncrypt
	}
	for name, c := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := tempPath(t)
			p, s := onDisk(t, path)
			c.Store = s.Store
			p = New("coded", c, p.opening.store.config, nil)
			if err := p.Verify(t.Context()); !errors.Is(err, wants[name]) {
				t.Errorf("got %v", err)
			}
			wantNoProbe(t, path)
		})
	}
}

func wantNoProbe(t *testing.T, path string) {
	t.Helper()
	if left, err := filepath.Glob(path + "*probe*"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestVerifyThatFailsLeavesNoProbe(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]error{"lost": errLostReply, "slow": backend.ErrTimeout, "ended": context.Canceled} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := tempPath(t)
			p, s := onDisk(t, path)
			ctx, cancel := context.WithCancel(t.Context())
			script(s, func(save func() (backend.Version, error)) (backend.Version, error) {
				_, err := save()
				cancel()
				return backend.None, errors.Join(kind, err)
			})
			if err := p.Verify(ctx); !errors.Is(err, kind) {
				t.Errorf("got %v", err)
			}
			wantNoProbe(t, path)
		})
	}
}
