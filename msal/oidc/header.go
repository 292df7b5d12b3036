package oidc

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/msalext/msalext/msal"
)

// header is what the first part of a JWT says of its signature (RFC 7515 §4.1).
type header struct{ Algorithm, KeyID string }

// maxToken bounds a token; ID tokens are some kilobytes.
const maxToken = 1 << 20

// headerOf reads the header of a JWT in the compact form (RFC 7515 §7.1), and
// refuses every other: JSON around a genuine signature may hold a second
// payload, and what was signed and what is read would be two things.
func headerOf(raw string) (header, error) {
	parts := strings.Split(raw[:min(len(raw), maxToken+1)], ".")
	if len(raw) > maxToken || len(parts) != 3 {
		return header{}, malformed("it isn't a JWT of three parts")
	}
	var decoded [3][]byte
	for i, part := range parts {
		var err error
		if decoded[i], err = msal.DecodePart(part); err != nil {
			return header{}, err
		}
	}
	// A map, since the fields of a struct would match other letter case as well,
	// and go-oidc doesn't.
	var members map[string]any
	if err := json.Unmarshal(decoded[0], &members); err != nil || members == nil {
		return header{}, malformed("the header isn't a JSON object")
	}
	algorithm, _ := members["alg"].(string)
	keyID, _ := members["kid"].(string)
	return header{algorithm, keyID}, nil
}

func malformed(text string) *msal.IDTokenError {
	return &msal.IDTokenError{Kind: msal.ErrIDTokenMalformed, Err: errors.New(text)}
}
