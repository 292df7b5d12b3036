package libsecret

import (
	"bytes"
	"encoding/base64"
	"errors"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
)

const object1 = `{"AccessToken":{}}`

func b64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func TestEncode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name             string
		data, raw, coded string
	}{
		{"a cache", object1, object1, b64(object1)},
		{"text", "text", "text", b64("text")},
		{"text that could be base64 of text", "dGV4dA==", "dGV4dA==", b64("dGV4dA==")},
		{"text that could be base64 of a cache", b64(object1), marker + b64(b64(object1)), b64(b64(object1))},
		{"NUL", "a\x00b", marker + b64("a\x00b"), b64("a\x00b")},
		{"no UTF-8", "\xff\xfe", marker + b64("\xff\xfe"), b64("\xff\xfe")},
		{"a byte order mark", "\ufeff{}", marker + b64("\ufeff{}"), b64("\ufeff{}")},
		{"text that could be marked", marker + "x", marker + b64(marker+"x"), b64(marker + "x")},
	} {
		for e, want := range map[encoding]string{raw: c.raw, base64d: c.coded} {
			if got := e.encode([]byte(c.data)); string(got) != want {
				t.Errorf("%s in encoding %d: %q, want %q", c.name, e, got, want)
			}
		}
	}
}

// Both encodings read what either of them, and each peer, writes.
func TestDecode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, stored string
		want         map[encoding]string
	}{
		{"Python and Node", object1, map[encoding]string{raw: object1, base64d: object1}},
		{"spaces before it", "\r\n\t " + object1, map[encoding]string{raw: "\r\n\t " + object1, base64d: "\r\n\t " + object1}},
		{".NET and Go", b64(object1), map[encoding]string{raw: object1, base64d: object1}},
		{"a line end behind it", b64(object1) + "\n", map[encoding]string{raw: object1, base64d: object1}},
		{"marked", marker + b64("\x00"), map[encoding]string{raw: "\x00", base64d: "\x00"}},
		{"base64 of something else", b64("text"), map[encoding]string{raw: b64("text"), base64d: "text"}},
	} {
		for e, want := range c.want {
			if got, err := e.decode([]byte(c.stored)); err != nil || string(got) != want {
				t.Errorf("%s in encoding %d: %q, %v, want %q", c.name, e, got, err, want)
			}
		}
	}
}

func TestDecodeOfNeither(t *testing.T) {
	t.Parallel()
	for e, stored := range map[encoding]string{base64d: "not base64!", raw: marker + "not base64!"} {
		var be *backend.Error
		if _, err := e.decode([]byte(stored)); !errors.Is(err, backend.ErrCorrupt) || !errors.As(err, &be) || be.Hint == "" {
			t.Errorf("encoding %d: %v", e, err)
		}
	}
}

func FuzzRoundTrip(f *testing.F) {
	for _, seed := range []string{"", object1, b64(object1), marker, marker + b64("x"), "\x00", "\xff", "eyB9", "e30=\n", "\n{", "ewo"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, writer := range []encoding{raw, base64d} {
			stored := writer.encode(bytes.Clone(data))
			if bytes.ContainsRune(stored, 0) || !bytes.Equal(bytes.ToValidUTF8(stored, nil), stored) {
				t.Errorf("encoding %d: %q isn't text", writer, stored)
			}
			if got, err := writer.decode(stored); err != nil || !bytes.Equal(got, data) {
				t.Errorf("encoding %d: %q comes back as %q, %v", writer, data, got, err)
			}
		}
	})
}

// A cache comes back whatever the reader's setting.
func FuzzCacheAcrossEncodings(f *testing.F) {
	f.Add([]byte("}"))
	f.Add([]byte(`"a":1}`))
	f.Fuzz(func(t *testing.T, rest []byte) {
		data := append([]byte("{"), rest...)
		for writer, reader := range map[encoding]encoding{raw: base64d, base64d: raw} {
			if got, err := reader.decode(writer.encode(data)); err != nil || !bytes.Equal(got, data) {
				t.Errorf("%q, written in encoding %d, comes back as %q, %v", data, writer, got, err)
			}
		}
	})
}
