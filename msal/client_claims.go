package msal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// prepare adds the exchange's claims to a token request.
func (x *exchange) prepare(req *http.Request) (*http.Request, error) {
	if x.claims == "" {
		return req, nil
	}
	form := sentForm(req)
	if !form.Has("grant_type") {
		return nil, errors.New("msalext: adding claims to a token request: its form can't be read")
	}
	claims, err := mergeClaims(form.Get("claims"), x.claims)
	if err != nil {
		return nil, err
	}
	form.Set("claims", claims)
	return withForm(req, form), nil
}

// withForm returns the request with another form.
func withForm(req *http.Request, values url.Values) *http.Request {
	text := values.Encode()
	again := req.Clone(req.Context())
	again.ContentLength = int64(len(text))
	again.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
	again.Body, _ = again.GetBody()
	return again
}

// ErrClaims: claims that aren't a JSON object.
var ErrClaims = errors.New("the claims aren't a JSON object")

// mergeClaims unites two claims requests (OpenID Connect Core §5.5): what the
// client can do, which MSAL sends, and what a challenge demands, which goes
// first where both have one member.
func mergeClaims(own, challenge string) (string, error) {
	demanded, err := claimsObject(challenge)
	if err != nil || own == "" {
		return challenge, err
	}
	sent, err := claimsObject(own)
	if err != nil {
		return "", err
	}
	unite(sent, demanded)
	text, err := json.Marshal(sent)
	return string(text), err
}

func claimsObject(text string) (map[string]any, error) {
	var object map[string]any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&object); err != nil || object == nil || len(bytes.TrimSpace(rest(decoder))) > 0 {
		return nil, fmt.Errorf("msalext: reading claims: %w; decode those of a challenge first, see ParseClaimsChallenge", ErrClaims)
	}
	return object, nil
}

// rest is what follows the value that a decoder read.
func rest(d *json.Decoder) []byte {
	data, _ := io.ReadAll(d.Buffered()) // it is in memory
	return data
}

func unite(into, from map[string]any) {
	for name, value := range from {
		inner, both := value.(map[string]any)
		old, wasObject := into[name].(map[string]any)
		if both && wasObject {
			unite(old, inner)
			continue
		}
		into[name] = value
	}
}
