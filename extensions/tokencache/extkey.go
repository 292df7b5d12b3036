package tokencache

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ordinary are the parameters of token requests that don't keep access tokens
// apart: MSAL Python's list (_EXT_CACHE_KEY_EXCLUDED_FIELDS, 1.39).
var ordinary = map[string]bool{
	"client_id": true, "grant_type": true, "scope": true, "claims": true, "username": true, "password": true,
	"refresh_token": true, "code": true, "redirect_uri": true, "code_verifier": true, "device_code": true,
	"assertion": true, "requested_token_use": true, "client_assertion": true, "client_assertion_type": true,
	"client_secret": true, "token_type": true, "req_cnf": true, "key_id": true,
	"user_federated_identity_credential": true, "user_id": true, "client_info": true,
}

// extKeyOf hashes the parameters that keep an access token apart, as MSAL
// Python (_compute_ext_cache_key) and MSAL Go (CacheExtKeyGenerator) do: each
// name and value with its length before it, sorted by name. It is "" where
// there are none.
func extKeyOf(data map[string]string) string {
	var joined strings.Builder
	for _, name := range slices.Sorted(maps.Keys(data)) {
		if value := data[name]; value != "" && !ordinary[name] {
			fmt.Fprintf(&joined, "%d:%s%d:%s", len(name), name, len(value), value)
		}
	}
	if joined.Len() == 0 {
		return ""
	}
	sum := sha256.Sum256([]byte(joined.String()))
	return strings.ToLower(base64.RawURLEncoding.EncodeToString(sum[:]))
}
