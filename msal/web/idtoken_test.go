package web_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/msalext/msalext/msal/msaltest"
)

// TestForeignIDTokens: the token endpoint is asked over TLS, and all the same what
// it answers has to be meant for this application and this sign-in.
func TestForeignIDTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := w.serve(nil)
	tenant := msaltest.TenantID("contoso.example")
	for name, c := range map[string]struct {
		change map[string]any
		status int
	}{
		"right":                     {nil, http.StatusSeeOther},
		"a clock that goes wrong":   {map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}, http.StatusSeeOther},
		"another application's":     {map[string]any{"aud": "another"}, http.StatusBadGateway},
		"another sign-in's":         {map[string]any{"nonce": "another"}, http.StatusBadGateway},
		"no nonce":                  {map[string]any{"nonce": nil}, http.StatusBadGateway},
		"another issuer's":          {map[string]any{"iss": "https://evil.example/" + tenant + "/v2.0"}, http.StatusBadGateway},
		"another tenant's":          {map[string]any{"iss": w.entra.URL() + "/" + msaltest.TenantID("evil.example") + "/v2.0", "tid": msaltest.TenantID("evil.example")}, http.StatusBadGateway},
		"no subject":                {map[string]any{"sub": nil}, http.StatusBadGateway},
		"claims that aren't claims": {map[string]any{"name": 7, "email": []string{"x"}, "preferred_username": map[string]any{}}, 0},
	} {
		t.Run("W4 "+name, func(t *testing.T) {
			b := w.browser(s)
			b.T = t
			authURL := b.begin("/user/login")
			claims := map[string]any{
				"iss": w.entra.URL() + "/" + tenant + "/v2.0", "aud": "web-app", "sub": "s", "oid": "o", "tid": tenant, "name": "Alice",
				"preferred_username": alice, "nonce": mustURL(t, authURL).Query().Get("nonce"), "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
			}
			for claim, value := range c.change {
				if claims[claim] = value; value == nil {
					delete(claims, claim)
				}
			}
			w.entra.Fail(msaltest.KindTokenCode, msaltest.Failure{Status: http.StatusOK, Body: tokenAnswer(t, claims)})
			a := b.fromEntra(b.approve(w, authURL, alice))
			if c.status != 0 && a.StatusCode != c.status {
				t.Errorf("status %d: %s\n%s", a.StatusCode, a.body, w.logs)
			}
			if b.info().Authenticated != (a.StatusCode == http.StatusSeeOther) {
				t.Error("the answer and the session differ")
			}
		})
	}
	if n := len(w.keys()); n > 3 {
		t.Errorf("%d token items; who isn't signed in has none", n)
	}
}

func tokenAnswer(t *testing.T, claims map[string]any) []byte {
	t.Helper()
	encode := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	text, err := json.Marshal(map[string]any{
		"token_type": "Bearer", "scope": "User.Read openid profile offline_access", "expires_in": 3600, "ext_expires_in": 3600, "access_token": "at", "refresh_token": "rt",
		"client_info": encode(map[string]any{"uid": "u", "utid": "t"}), "id_token": encode(map[string]any{"alg": "none"}) + "." + encode(claims) + ".c2ln",
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}
