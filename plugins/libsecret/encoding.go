package libsecret

import (
	"bytes"
	"encoding/base64"
	"unicode/utf8"

	"github.com/msalext/msalext/extensions/backend"
)

// encoding is how bytes become the text that the Secret Service keeps. Some
// services keep text only, and libsecret gives peers nothing else.
type encoding int

const (
	raw     encoding = iota // as Python and Node write: the JSON itself
	base64d                 // as .NET and Go write
)

// marker stands before bytes that "raw" can't write as they are.
const marker = "base64:"

func encodingNamed(text string) (encoding, error) {
	switch text {
	case "raw":
		return raw, nil
	case "base64":
		return base64d, nil
	default:
		return raw, invalid("encoding", text, "raw or base64")
	}
}

// encode is undone by decode, whatever the data.
func (e encoding) encode(data []byte) []byte {
	switch {
	case e == base64d:
		return encoded(nil, data)
	case plain(data):
		return data
	default:
		return encoded([]byte(marker), data)
	}
}

func encoded(prefix, data []byte) []byte { return base64.StdEncoding.AppendEncode(prefix, data) }

// plain tells whether data can be kept as it is: text that decode won't take
// for something else, and that no service changes. A byte order mark is lost
// where a service keeps text and not bytes.
func plain(data []byte) bool {
	const byteOrderMark = "\ufeff"
	_, asBase64 := object(data)
	return utf8.Valid(data) && !bytes.ContainsRune(data, 0) && !asBase64 &&
		!bytes.HasPrefix(data, []byte(marker)) && !bytes.HasPrefix(data, []byte(byteOrderMark))
}

// decode understands what either encoding wrote, here or in a peer. A JSON
// object is raw. With "raw", other text counts as base64 only if an object is
// in it.
func (e encoding) decode(stored []byte) ([]byte, error) {
	if text, ok := bytes.CutPrefix(stored, []byte(marker)); ok {
		return decoded(text)
	}
	if isObject(stored) {
		return stored, nil
	}
	if e == base64d {
		return decoded(stored)
	}
	if data, ok := object(stored); ok {
		return data, nil
	}
	return stored, nil
}

func decoded(text []byte) ([]byte, error) {
	data, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil {
		return nil, &backend.Error{
			Kind: backend.ErrCorrupt,
			Hint: "the item is neither JSON nor base64: if another program wrote it, set encoding to raw; to start anew, delete it in the keyring program",
		}
	}
	return data, nil
}

// object decodes base64 that holds a JSON object.
func object(text []byte) ([]byte, bool) {
	data, err := base64.StdEncoding.AppendDecode(nil, text)
	return data, err == nil && isObject(data)
}

func isObject(data []byte) bool { return bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) }
