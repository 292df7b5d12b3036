package msal

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// IDToken is what an ID token says (OpenID Connect Core §2).
type IDToken struct {
	Issuer, Subject string
	Audience        []string
	Nonce           string    // empty where there is none
	AuthTime        time.Time // when the person signed in; zero where it doesn't say
	// IssuedAt, NotBefore and Expires are zero where it doesn't say.
	IssuedAt, NotBefore, Expires time.Time
	// Claims has all claims by name, numbers as [json.Number].
	Claims map[string]any
}

// Text returns a claim that is a string, and "" where it is missing or
// something else.
func (t *IDToken) Text(claim string) string {
	s, _ := t.Claims[claim].(string)
	return s
}

// maxJWT bounds what is decoded; ID tokens are some kilobytes.
const maxJWT = 1 << 20

// DecodePart decodes one of the dot-separated parts of a JWT: base64url with or
// without padding (RFC 7515 §2 and appendix C). It stands for MSAL Python's
// decode_part; the bytes of the first two parts are JSON, those of the third a
// signature. The error is [ErrIDTokenMalformed].
func DecodePart(part string) ([]byte, error) {
	if len(part) > maxJWT {
		return nil, malformed("a part of %d bytes", len(part))
	}
	if strings.ContainsAny(part, "\r\n") { // package base64 skips them
		return nil, malformed("a part that isn't base64url")
	}
	data, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(part, "="))
	if err != nil {
		return nil, malformed("a part that isn't base64url")
	}
	return data, nil
}

func malformed(format string, args ...any) *IDTokenError {
	return &IDTokenError{Kind: ErrIDTokenMalformed, Err: fmt.Errorf(format, args...)}
}

// DecodeIDToken decodes an ID token and compares it with what is expected
// (OpenID Connect Core §3.1.3.7): issuer, audience, nonce, and the time last.
// Nil checks mean the zero value. It stands for MSAL Python's decode_id_token.
//
// It doesn't look at the signature. That is enough for a token that the
// provider's token endpoint gave to this program over TLS, and for no other:
// never trust one that a browser or another program brought.
//
// Errors are [*IDTokenError]s. With [ErrIDTokenTime], and with no other error,
// the token is returned as well: MSAL Python only warns of it, since the
// tokens of a machine with a wrong clock work.
func DecodeIDToken(raw string, checks *IDTokenChecks) (*IDToken, error) {
	if checks == nil {
		checks = &IDTokenChecks{}
	}
	t, err := parseIDToken(raw)
	if err != nil {
		return nil, err
	}
	for _, check := range []func(*IDToken) error{checks.issuer, checks.audience, checks.nonce} {
		if err := check(t); err != nil {
			return nil, err
		}
	}
	return t, checks.time(t)
}

func parseIDToken(raw string) (*IDToken, error) {
	if len(raw) > maxJWT {
		return nil, malformed("%d bytes", len(raw))
	}
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return nil, malformed("%d parts, not three", len(parts))
	}
	payload, err := DecodePart(parts[1])
	if err != nil {
		return nil, err
	}
	// A map, since the fields of a struct would match other letter case as well.
	claims := map[string]any{}
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.UseNumber()
	if err := decoder.Decode(&claims); err != nil || claims == nil || decoder.More() {
		return nil, malformed("the claims aren't a JSON object")
	}
	return claimsOf(claims)
}

func claimsOf(claims map[string]any) (*IDToken, error) {
	t := &IDToken{Claims: claims}
	for name, into := range map[string]*string{"iss": &t.Issuer, "sub": &t.Subject, "nonce": &t.Nonce} {
		value, there := claims[name]
		text, ok := value.(string)
		if there && !ok || text == "" && name != "nonce" {
			return nil, malformed("%s isn't a text", name)
		}
		*into = text
	}
	for name, into := range map[string]*time.Time{"exp": &t.Expires, "iat": &t.IssuedAt, "nbf": &t.NotBefore, "auth_time": &t.AuthTime} {
		at, err := numericDate(claims[name])
		if err != nil {
			return nil, malformed("%s isn't a time", name)
		}
		*into = at
	}
	if t.Expires.IsZero() {
		return nil, malformed("no time of expiry")
	}
	if t.Audience = texts(claims["aud"]); len(t.Audience) == 0 {
		return nil, malformed("no audience")
	}
	return t, nil
}

// numericDate reads seconds since 1970, which may have a fraction (RFC 7519
// §2). nil is the zero time.
func numericDate(value any) (time.Time, error) {
	if value == nil {
		return time.Time{}, nil
	}
	n, ok := value.(json.Number)
	if !ok {
		return time.Time{}, errors.New("not a number")
	}
	const year10000 = 253402300800
	seconds, err := n.Float64()
	if err != nil || seconds < 0 || seconds >= year10000 {
		return time.Time{}, errors.New("out of range")
	}
	return time.Unix(int64(seconds), 0), nil
}

// texts reads a string or a list of strings, and nothing where it is something
// else.
func texts(value any) []string {
	if s, ok := value.(string); ok {
		return []string{s}
	}
	list, _ := value.([]any)
	var all []string
	for _, v := range list {
		s, ok := v.(string)
		if !ok {
			return nil
		}
		all = append(all, s)
	}
	return all
}
