package msal

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// ErrChallenge: a WWW-Authenticate header, or the claims in it, is malformed.
var ErrChallenge = errors.New("the WWW-Authenticate header is malformed")

// Challenge is how a server asks for credentials (RFC 9110 §11.3).
type Challenge struct {
	Scheme  string            // in lower case, such as bearer
	Token68 string            // what follows some schemes in place of parameters
	Params  map[string]string // by lower-case name; never nil
}

// The header of a server that isn't up to anything has some hundred bytes.
const (
	maxChallenges      = 16
	maxChallengeParams = 64
	maxChallengeHeader = 64 << 10
)

// ParseClaimsChallenge returns what a server wants a new token to say: the
// claims of the first Bearer or PoP challenge with error="insufficient_claims",
// as JSON, for MSAL's WithClaims. It is "" where the server asks for no claims.
// This is the challenge of conditional access and continuous access evaluation
// (https://learn.microsoft.com/entra/identity-platform/claims-challenge).
//
// A header that is malformed before that challenge, and claims that aren't
// base64 of a JSON object, are [ErrChallenge].
func ParseClaimsChallenge(h http.Header) (string, error) {
	challenges, err := ParseChallenges(h)
	for _, c := range challenges {
		if (c.Scheme != "bearer" && c.Scheme != "pop") || c.Params["error"] != "insufficient_claims" || c.Params["claims"] == "" {
			continue
		}
		return decodeClaims(c.Params["claims"])
	}
	return "", err
}

// decodeClaims reads base64 of either alphabet, with padding or without: APIs
// differ.
func decodeClaims(encoded string) (string, error) {
	plain := strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(encoded, "="))
	claims, err := base64.RawURLEncoding.DecodeString(plain)
	if err != nil || !json.Valid(claims) || !bytes.HasPrefix(bytes.TrimLeft(claims, " \t\r\n"), []byte("{")) {
		return "", fmt.Errorf("msalext: reading a claims challenge: the claims aren't base64 of a JSON object: %w", ErrChallenge)
	}
	return string(claims), nil
}

// ParseChallenges reads the WWW-Authenticate fields of an answer (RFC 9110
// §11.6.1): any number of challenges, each with a token or with parameters,
// whose values may be quoted strings. Where a field is malformed, the
// challenges before that are returned with an [ErrChallenge].
func ParseChallenges(h http.Header) ([]Challenge, error) {
	// Several fields mean the same as one with commas (RFC 9110 §5.3).
	text := strings.Join(h.Values("WWW-Authenticate"), ", ")
	if len(text) > maxChallengeHeader {
		return nil, fmt.Errorf("msalext: reading challenges: %d bytes: %w", len(text), ErrChallenge)
	}
	s := scanner{text: text}
	var all []Challenge
	for s.skipCommas(); s.more(); s.skipCommas() {
		c, ok := s.challenge()
		if !ok || len(all) == maxChallenges {
			return all, fmt.Errorf("msalext: reading challenges: after byte %d: %w", s.at, ErrChallenge)
		}
		all = append(all, c)
	}
	return all, nil
}
