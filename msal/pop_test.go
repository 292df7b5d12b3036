package msal_test

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/msal"
)

const popAPI = "https://api.example/v1/orders/a%2Fb?b=bar&a=foo&c=duck#top"

func pop(t testing.TB, change func(*msal.PopOptions)) *msal.PopAuthScheme {
	t.Helper()
	o := msal.PopOptions{HTTPMethod: http.MethodGet, URL: popAPI, Nonce: "n-1"}
	if change != nil {
		change(&o)
	}
	s, err := msal.NewPop(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// proof is what an API reads, by a library that isn't the one it was made with.
type proof struct {
	header jose.Header
	claims map[string]any
	key    jose.JSONWebKey
}

// verify is the API's part: the signature is by the key in cnf, and that is the
// key that the token was asked for.
func verify(t *testing.T, text, keyID string) proof {
	t.Helper()
	signed, err := jose.ParseSigned(text, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Confirmation struct {
			Key json.RawMessage `json:"jwk"`
		} `json:"cnf"`
	}
	if err := json.Unmarshal(signed.UnsafePayloadWithoutVerification(), &claims); err != nil {
		t.Fatal(err)
	}
	p := proof{header: signed.Signatures[0].Header}
	if err := p.key.UnmarshalJSON(claims.Confirmation.Key); err != nil {
		t.Fatal(err)
	}
	payload, err := signed.Verify(&p.key)
	if err != nil {
		t.Fatal(err)
	}
	thumbprint, err := p.key.Thumbprint(crypto.SHA256)
	if got := base64.RawURLEncoding.EncodeToString(thumbprint); err != nil || got != keyID || p.header.KeyID != keyID {
		t.Errorf("the key is %s, kid %s, asked for %s; %v", got, p.header.KeyID, keyID, err)
	}
	if err := json.Unmarshal(payload, &p.claims); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPop(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*msal.PopOptions)
		want   map[string]any
	}{
		{"S11 http_method, url, nonce", nil, map[string]any{"at": "token", "m": "GET", "u": "api.example", "p": "/v1/orders/a%2Fb", "nonce": "n-1"}},
		{"S11 another method", func(o *msal.PopOptions) { o.HTTPMethod = "PATCH" }, map[string]any{"m": "PATCH"}},
		{"S11 another nonce", func(o *msal.PopOptions) { o.Nonce = "n-2" }, map[string]any{"nonce": "n-2"}},
		{"S11 no path", func(o *msal.PopOptions) { o.URL = "https://api.example" }, map[string]any{"u": "api.example", "p": "/"}},
		{"S11 a port", func(o *msal.PopOptions) { o.URL = "https://api.example:8443/x" }, map[string]any{"u": "api.example:8443", "p": "/x"}},
		{"S11 the scheme's own port", func(o *msal.PopOptions) { o.URL = "https://API.example:443/x" }, map[string]any{"u": "api.example"}},
		{"S11 this machine", func(o *msal.PopOptions) { o.URL = "http://[::1]:8080/x" }, map[string]any{"u": "[::1]:8080"}},
		// The example of the draft's §3.2.
		{"S11 the query", func(o *msal.PopOptions) { o.Query = true },
			map[string]any{"q": []any{[]any{"b", "a", "c"}, "u4LgkGUWhP9MsKrEjA4dizIllDXluDku6ZqCeyuR-JY"}}},
		{"S11 no query", func(o *msal.PopOptions) { o.Query, o.URL = true, "https://api.example/x" }, map[string]any{"q": nil}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := pop(t, c.change)
			text, err := s.FormatAccessToken("token")
			if err != nil {
				t.Fatal(err)
			}
			p := verify(t, text, s.KeyID())
			for claim, want := range c.want {
				if diff := cmp.Diff(want, p.claims[claim]); diff != "" {
					t.Errorf("%s: %s", claim, diff)
				}
			}
			if at := time.Unix(int64(p.claims["ts"].(float64)), 0); time.Since(at).Abs() > time.Minute {
				t.Errorf("signed at %s", at)
			}
			if _, there := p.claims["q"]; there != (c.want["q"] != nil) {
				t.Errorf("q: %v", p.claims["q"])
			}
			if p.header.ExtraHeaders["typ"] != "pop" || !p.key.IsPublic() {
				t.Errorf("typ is %v, and the key's public part alone is shown: %v", p.header.ExtraHeaders["typ"], p.key.IsPublic())
			}
		})
	}
}

// TestPopIsBoundToWhatItSays: no part of a proof can be exchanged.
func TestPopIsBoundToWhatItSays(t *testing.T) {
	t.Parallel()
	s := pop(t, nil)
	text, err := s.FormatAccessToken("token")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(text, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	key := verify(t, text, s.KeyID()).key
	for from, to := range map[string]string{`"m":"GET"`: `"m":"PUT"`, `"at":"token"`: `"at":"other"`, "api.example": "api.exbmple", "n-1": "n-2"} {
		forged := strings.Replace(string(payload), from, to, 1)
		if forged == string(payload) {
			t.Fatalf("%s isn't in %s", from, payload)
		}
		signed, err := jose.ParseSigned(parts[0]+"."+base64.RawURLEncoding.EncodeToString([]byte(forged))+"."+parts[2], []jose.SignatureAlgorithm{jose.RS256})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := signed.Verify(&key); err == nil {
			t.Errorf("%s in place of %s was taken", to, from)
		}
	}
}

func TestPopTokenRequest(t *testing.T) {
	t.Parallel()
	s, other := pop(t, nil), pop(t, func(o *msal.PopOptions) { o.Nonce = "n-2" })
	params := s.TokenRequestParams()
	confirmation, err := base64.RawURLEncoding.DecodeString(params["req_cnf"])
	if err != nil || string(confirmation) != `{"kid":"`+s.KeyID()+`"}` || params["token_type"] != "pop" || len(params) != 2 || s.AccessTokenType() != "pop" {
		t.Errorf("%v, %s, %v", params, confirmation, err)
	}
	if s.KeyID() != other.KeyID() || len(s.KeyID()) != 43 {
		t.Errorf("two keys in one process: %s, %s", s.KeyID(), other.KeyID())
	}
}

func TestPopRefuses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*msal.PopOptions){
		"no method": func(o *msal.PopOptions) { o.HTTPMethod = "" }, "lower case": func(o *msal.PopOptions) { o.HTTPMethod = "get" },
		"another method": func(o *msal.PopOptions) { o.HTTPMethod = "BREW" }, "no URL": func(o *msal.PopOptions) { o.URL = "" },
		"no host": func(o *msal.PopOptions) { o.URL = "/v1" }, "not TLS": func(o *msal.PopOptions) { o.URL = "http://api.example/" },
		"a user": func(o *msal.PopOptions) { o.URL = "https://me:hunter2@api.example/" }, "not a URL": func(o *msal.PopOptions) { o.URL = "https://a b/\x00" },
		"no nonce": func(o *msal.PopOptions) { o.Nonce = "" },
	} {
		t.Run("S11 "+name, func(t *testing.T) {
			t.Parallel()
			o := msal.PopOptions{HTTPMethod: "GET", URL: popAPI, Nonce: "n-1"}
			change(&o)
			if s, err := msal.NewPop(o); s != nil || !errors.Is(err, msal.ErrPop) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v, %v", s, err)
			}
		})
	}
	t.Run("S11 not made by NewPop", func(t *testing.T) {
		var s msal.PopAuthScheme
		if _, err := s.FormatAccessToken("token"); !errors.Is(err, msal.ErrPop) || s.KeyID() != "" || s.TokenRequestParams() != nil {
			t.Error(err)
		}
	})
}

func TestPopNonce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		h     http.Header
		want  string
		fails bool
	}{
		{"a challenge", authenticate(`Bearer realm="x", PoP realm="", nonce="a\"b"`), `a"b`, false},
		{"none", authenticate(`Bearer nonce="x"`), "", false},
		{"the next one", http.Header{"Authentication-Info": {`nextnonce="n-2", other=x`}}, "n-2", false},
		{"malformed", authenticate(`PoP nonce="`), "", true},
		{"malformed, the next one", http.Header{"Authentication-Info": {`nextnonce="`}}, "", false},
		{"too long", http.Header{"Authentication-Info": {"nextnonce=" + strings.Repeat("a", 1<<20)}}, "", false},
	} {
		t.Run("S12 "+c.name, func(t *testing.T) {
			t.Parallel()
			if got, err := msal.PopNonce(c.h); got != c.want || errors.Is(err, msal.ErrChallenge) != c.fails {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

func FuzzPop(f *testing.F) {
	for _, seed := range []string{popAPI, "https://a/?&&=", "https://[::1]:443?%zz", "https://a:/%2f"} {
		f.Add(seed, "n")
	}
	f.Fuzz(func(t *testing.T, url, nonce string) {
		s, err := msal.NewPop(msal.PopOptions{HTTPMethod: "GET", URL: url, Nonce: nonce, Query: true})
		if err != nil {
			if !errors.Is(err, msal.ErrPop) {
				t.Error(err)
			}
			return
		}
		text, err := s.FormatAccessToken("token")
		if err != nil {
			t.Fatal(err)
		}
		verify(t, text, s.KeyID())
	})
}

func TestIsPopSupported(t *testing.T) {
	t.Parallel()
	t.Run("C18 false without a broker", func(t *testing.T) {
		_, err := msal.WithBroker()
		if msal.IsPopSupported() != (err == nil) {
			t.Error("it needs a broker, and there is none")
		}
	})
}
