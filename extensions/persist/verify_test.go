package persist

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
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
	info   backend.Info
	encode func([]byte) []byte
	decode func([]byte) []byte
}

func (c coded) Info() backend.Info { c.info.Encrypted = true; return c.info }

func (c coded) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	return c.Store.Save(ctx, key, c.encode(data), base)
}

func (c coded) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	blob, err := c.Store.Load(ctx, key, have)
	blob.Data = c.decode(blob.Data)
	return blob, err
}

var wrapped = regexp.MustCompile(".{1,20}")

// framing is an encoding, in a file with other things around it.
type framing struct {
	encode func([]byte) string
	decode func(string) ([]byte, error)
}

// framings are encodings that hide nothing.
var framings = map[string]framing{
	"base64":            {base64.StdEncoding.EncodeToString, base64.StdEncoding.DecodeString},
	"base64url, no pad": {base64.RawURLEncoding.EncodeToString, base64.RawURLEncoding.DecodeString},
	"hex":               {hex.EncodeToString, hex.DecodeString},
	"HEX":               {func(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }, hex.DecodeString},
	"wrapped base64": {
		func(b []byte) string { return wrapped.ReplaceAllString(base64.StdEncoding.EncodeToString(b), "$0\r\n") },
		base64.StdEncoding.DecodeString, // which passes over line breaks
	},
	"UTF-16": {
		func(b []byte) string { return strings.Join(strings.Split("_"+string(b), ""), "\x00") },
		func(s string) ([]byte, error) { return []byte(strings.ReplaceAll(s, "\x00", "")[1:]), nil },
	},
}

func (f framing) around(prefix string) (encode, decode func([]byte) []byte) {
	encode = func(b []byte) []byte { return []byte("{" + f.encode(append([]byte(prefix), b...)) + "}") }
	decode = func(b []byte) []byte {
		b, err := f.decode(string(b[1 : len(b)-1]))
		if err != nil || len(b) < len(prefix) {
			return nil
		}
		return b[len(prefix):]
	}
	return encode, decode
}

// A store with one file for all items, somewhere else, as a database.
func TestVerifyLooksWhereTheStoreSaysThatItIs(t *testing.T) {
	t.Parallel()
	for _, suffix := range []string{"", "-wal"} {
		t.Run("database"+suffix, func(t *testing.T) {
			t.Parallel()
			p, s := inMemory(t)
			database := filepath.Join(t.TempDir(), "db")
			same := func(b []byte) []byte { return b }
			c := coded{Store: s.Store, info: backend.Info{Location: database}, decode: same, encode: func(b []byte) []byte {
				if err := errors.Join(os.WriteFile(database, []byte("SQLite"), 0o600), os.WriteFile(database+suffix, b, 0o600)); err != nil {
					t.Error(err)
				}
				return b
			}}
			p = New("coded", c, p.opening.store.config, nil)
			if err := p.Verify(t.Context()); !errors.Is(err, backend.ErrEncrypt) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestVerifyLooksIntoTheFile(t *testing.T) {
	t.Parallel()
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
	for form, f := range framings {
		for _, prefix := range []string{"", "1", "12", "123", "???"} {
			name := form + " after " + prefix
			encode, decode := f.around(prefix)
			stores[name], wants[name] = coded{encode: encode, decode: decode}, backend.ErrEncrypt
		}
	}
	for name, c := range stores {
		for where, stamp := range map[string]backend.Stamp{"data": backend.StampData, "signal": backend.StampSignal, "none": backend.StampNone} {
			t.Run(name+"/"+where, func(t *testing.T) {
				t.Parallel()
				path := tempPath(t)
				p, s := onDisk(t, path)
				c := coded{s.Store, backend.Info{Stamp: stamp}, c.encode, c.decode}
				p = New("coded", c, p.opening.store.config, nil)
				if err := p.Verify(t.Context()); !errors.Is(err, wants[name]) {
					t.Errorf("got %v", err)
				}
				wantNoProbe(t, path)
			})
		}
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
