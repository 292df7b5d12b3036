package tokencache

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// response is the answer of a token endpoint, read.
type response struct {
	raw    []byte
	claims []byte // of the ID token; nil: none
	home   string // home account id; empty: a token of the application itself
	person bool   // there is an account to store
}

// readResponse reads an answer. Errors name a field and never show its value.
func readResponse(data []byte) (response, error) {
	r := response{raw: objectIn(data)}
	if r.raw == nil {
		return r, invalid("the response is no JSON object")
	}
	if cmp.Or(r.text("access_token"), r.text("refresh_token"), r.text("id_token")) == "" {
		return r, invalid("the response holds no token")
	}
	if err := r.readClaims(); err != nil {
		return r, err
	}
	return r, r.readPerson()
}

func (r *response) readClaims() error {
	r.claims = r.field("id_token_claims")
	if len(r.claims) > 2 && r.claims[0] == '{' {
		return nil
	}
	r.claims = nil
	token := r.text("id_token")
	if token == "" {
		return nil
	}
	parts := strings.Split(token, ".")
	if len(parts) > 1 {
		r.claims = decodePart(parts[1])
	}
	if r.claims == nil {
		return invalid("id_token is no token")
	}
	return nil
}

// readPerson finds out whose tokens they are: client_info says, and without it
// the subject of the ID token, as at ADFS.
func (r *response) readPerson() error {
	if info := r.text("client_info"); info != "" {
		decoded := decodePart(info)
		if decoded == nil {
			return invalid("client_info can't be decoded")
		}
		uid, utid := text(valueOf(decoded, `"uid"`)), text(valueOf(decoded, `"utid"`))
		if uid != "" && utid != "" {
			r.home, r.person = uid+"."+utid, true
			return nil
		}
	}
	if r.claims == nil {
		return nil
	}
	r.home, r.person = r.claim("sub"), true
	if r.home == "" {
		return invalid("neither client_info nor the ID token says whose tokens they are")
	}
	return nil
}

func (r *response) field(name string) []byte { return valueOf(r.raw, `"`+name+`"`) }

func (r *response) text(name string) string { return text(r.field(name)) }

func (r *response) claim(name string) string { return text(valueOf(r.claims, `"`+name+`"`)) }

// seconds reads a number, which some endpoints write as a string.
func (r *response) seconds(name string) (n int64, ok bool, err error) {
	raw := r.field(name)
	if text(raw) == "" {
		return 0, false, nil
	}
	f, err := strconv.ParseFloat(text(raw), 64)
	if err != nil || math.IsNaN(f) || math.Abs(f) > 1<<40 {
		return 0, false, invalid(name + " is no number of seconds")
	}
	return int64(f), true, nil
}

// decodePart decodes a JSON object in base64url, padded or not, as in a token.
// It returns nil for anything else.
func decodePart(part string) []byte {
	decoded, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(part, "="))
	if err != nil {
		return nil
	}
	return objectIn(decoded)
}

// objectIn returns data without white space around it, or nil unless it is a
// JSON object.
func objectIn(data []byte) []byte {
	data = bytes.TrimSpace(data)
	if len(data) == 0 || data[0] != '{' || !jsontext.Value(data).IsValid() {
		return nil
	}
	return data
}
