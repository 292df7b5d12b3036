package msal_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/msal"
)

// forger changes the ID token in each answer.
type forger struct {
	*http.Client
	change func(map[string]any) // nil: no ID token
}

func (f forger) Do(req *http.Request) (*http.Response, error) {
	resp, err := f.Client.Do(req)
	if err != nil || req.Method != http.MethodPost {
		return resp, err
	}
	defer resp.Body.Close()
	var answer, claims map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, err
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(answer["id_token"].(string), ".")[1])
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return nil, err
	}
	delete(answer, "id_token")
	if f.change != nil {
		f.change(claims)
		payload, _ = json.Marshal(claims)
		answer["id_token"] = jwt(string(payload))
	}
	body, err := json.Marshal(answer)
	resp.Body = io.NopCloser(strings.NewReader(string(body)))
	return resp, err
}

func TestAuthCodeComparesTheIDToken(t *testing.T) {
	t.Parallel()
	ago := func(d time.Duration) func(map[string]any) {
		return func(c map[string]any) { c["auth_time"] = time.Now().Add(-d).Unix() }
	}
	for _, c := range []struct {
		name   string
		maxAge *int
		change func(map[string]any)
		want   error
	}{
		{"C7 as issued", nil, func(map[string]any) {}, nil},
		{"C7 another nonce", nil, func(c map[string]any) { c["nonce"] = "x" }, msal.ErrIDTokenNonce},
		{"C7 no nonce", nil, func(c map[string]any) { delete(c, "nonce") }, msal.ErrIDTokenNonce},
		{"C7 no ID token", nil, nil, msal.ErrIDTokenMalformed},
		{"C7 a clock that is wrong", nil, func(c map[string]any) { c["exp"] = 1000 }, nil},
		{"C8 signed in just now", new(0), ago(time.Minute), nil},
		{"C8 signed in too long ago", new(0), ago(3 * time.Minute), msal.ErrIDTokenAge},
		{"C8 signed in recently", new(3600), ago(time.Hour + time.Minute), nil},
		{"C8 signed in hours ago", new(3600), ago(2 * time.Hour), msal.ErrIDTokenAge},
		{"C8 the token doesn't say when", new(3600), func(c map[string]any) { delete(c, "auth_time") }, msal.ErrIDTokenAge},
	} {
		for _, kind := range []string{"public", "confidential"} {
			t.Run(c.name+", "+kind, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, nil)
				client := w.codeClients(forger{w.srv.Client(), c.change})[kind]
				flow := w.begin(client, msal.AuthCodeOptions{MaxAge: c.maxAge})
				result, err := flow.Complete(t.Context(), client, w.follow(flow, alice), nil)
				if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) || (result.AccessToken == "") != (c.want != nil) {
					t.Errorf("%v, want %v", err, c.want)
				}
				if c.want != nil {
					wantNoSecrets(t, err, flow.Nonce, flow.CodeVerifier)
				}
			})
		}
	}
}

// TestAuthCodeSignsOutAgain: MSAL has stored what must not be used.
func TestAuthCodeSignsOutAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	network := forger{w.srv.Client(), func(c map[string]any) { c["nonce"] = "x" }}
	inner, err := public.New("app", public.WithAuthority(w.srv.Authority()), public.WithHTTPClient(network), public.WithInstanceDiscovery(false))
	if err != nil {
		t.Fatal(err)
	}
	client := msal.PublicCode(inner)
	flow := w.begin(client, msal.AuthCodeOptions{})
	if _, err := flow.Complete(t.Context(), client, w.follow(flow, alice), nil); !errors.Is(err, msal.ErrIDTokenNonce) {
		t.Fatal(err)
	}
	if got := names(t, inner); got != "" {
		t.Errorf("%s is signed in", got)
	}
}

// TestSignInWithoutAnIDTokenStoresNothing: nobody knows whose tokens these are,
// so nobody could sign them out.
func TestSignInWithoutAnIDTokenStoresNothing(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"public", "confidential"} {
		t.Run("C7 "+kind, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			cache, _ := w.cache(nil)
			o := w.options(cache)
			o.HTTPClient = forger{w.srv.Client(), nil}
			c := codeFlows(w.public(o))
			if kind == "confidential" {
				c = w.web(o)
			}
			flow, err := c.BeginAuthCode(t.Context(), msal.AuthCodeOptions{RedirectURI: clientRedirect, Scopes: scopes})
			if err != nil {
				t.Fatal(err)
			}
			if r, err := c.CompleteAuthCode(t.Context(), flow, w.follow(flow, alice), nil); !errors.Is(err, msal.ErrIDTokenMalformed) || r.AccessToken != "" {
				t.Errorf("%v, %v", r, err)
			}
			if data, err := os.ReadFile(w.path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("stored %d bytes, %v", len(data), err)
			}
		})
	}
}
