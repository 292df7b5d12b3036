package msal_test

import (
	"errors"
	"net/url"
	"testing"

	"github.com/msalext/msalext/msal"
)

// TestAuthCodeOptions sets one option after the other. Each has to show in the
// URL, and must not where it isn't set: an option that is ignored fails.
func TestAuthCodeOptions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	clients := w.codeClients(nil)
	for _, c := range []struct {
		name, param, want string
		options           msal.AuthCodeOptions
	}{
		{"A29 state", "state", "mine", msal.AuthCodeOptions{State: "mine"}},
		{"A30, S10: prompt none", "prompt", "none", msal.AuthCodeOptions{Prompt: msal.PromptNone}},
		{"A30, S10: prompt login", "prompt", "login", msal.AuthCodeOptions{Prompt: msal.PromptLogin}},
		{"A30, S10: prompt consent", "prompt", "consent", msal.AuthCodeOptions{Prompt: msal.PromptConsent}},
		{"A30, S10: prompt select_account", "prompt", "select_account", msal.AuthCodeOptions{Prompt: msal.PromptSelectAccount}},
		{"A30, S10: prompt create", "prompt", "create", msal.AuthCodeOptions{Prompt: msal.PromptCreate}},
		{"A30, S10: a prompt of another provider", "prompt", "register", msal.AuthCodeOptions{Prompt: "register"}},
		{"A31 login_hint", "login_hint", alice, msal.AuthCodeOptions{LoginHint: alice}},
		{"A31 domain_hint", "domain_hint", "contoso.example", msal.AuthCodeOptions{DomainHint: "contoso.example"}},
		{"C3 claims_challenge", "claims", `{"access_token":{"acrs":{"value":"c1"}}}`, msal.AuthCodeOptions{Claims: `{"access_token":{"acrs":{"value":"c1"}}}`}},
		{"C4 max_age", "max_age", "3600", msal.AuthCodeOptions{MaxAge: new(3600)}},
		{"C4 max_age 0", "max_age", "0", msal.AuthCodeOptions{MaxAge: new(0)}},
		{"C4 response_mode", "response_mode", "form_post", msal.AuthCodeOptions{ResponseMode: "form_post"}},
		{"A32 response_type code id_token", "response_type", "code id_token", msal.AuthCodeOptions{ResponseType: "id_token code", ResponseMode: "form_post"}},
		{"A32 response_type id_token", "response_type", "id_token", msal.AuthCodeOptions{ResponseType: "id_token", ResponseMode: "fragment"}},
		{"A28 further query", "dc", "x", msal.AuthCodeOptions{Query: url.Values{"dc": {"x"}}}},
		{"A28 scopes", "scope", "Mail.Read offline_access openid profile", msal.AuthCodeOptions{Scopes: []string{"Mail.Read"}}},
	} {
		for kind, client := range clients {
			t.Run(c.name+", "+kind, func(t *testing.T) {
				t.Parallel()
				if got := paramOf(t, w.begin(client, c.options), c.param); got != c.want {
					t.Errorf("%s is %q, want %q", c.param, got, c.want)
				}
				if got := paramOf(t, w.begin(client, msal.AuthCodeOptions{}), c.param); got == c.want {
					t.Errorf("%s is %q although nobody asked for it", c.param, got)
				}
			})
		}
	}
}

func paramOf(t *testing.T, flow msal.AuthCodeFlow, name string) string {
	t.Helper()
	u, err := url.Parse(flow.AuthURI)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get(name)
}

// TestAuthCodeResponseTypes refuses what can't be completed safely.
func TestAuthCodeResponseTypes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	client := w.codeClients(nil)["public"]
	for name, c := range map[string]struct{ kind, mode string }{
		"an access token":                 {"token", "form_post"},
		"an access token beside a code":   {"code token", "form_post"},
		"an access token beside all":      {"code id_token token", "form_post"},
		"a word twice":                    {"code code", "form_post"},
		"none":                            {"none", "form_post"},
		"another letter case":             {"ID_token", "form_post"},
		"an ID token in the query":        {"code id_token", "query"},
		"an ID token wherever":            {"id_token", ""},
		"an ID token in another one's":    {"code id_token", "web_message"},
		"an ID token in the query, alone": {"id_token", "query"},
	} {
		t.Run("A32 "+name, func(t *testing.T) {
			t.Parallel()
			o := msal.AuthCodeOptions{ClientID: "app", RedirectURI: redirect, Scopes: scopes, ResponseType: c.kind, ResponseMode: c.mode}
			if flow, err := msal.BeginAuthCode(t.Context(), client, o); !errors.Is(err, msal.ErrFlow) {
				t.Errorf("%s, %v", flow.AuthURI, err)
			}
			if uri, err := msal.AuthCodeURL(t.Context(), client, o, ""); !errors.Is(err, msal.ErrFlow) {
				t.Errorf("one step: %s, %v", uri, err)
			}
		})
	}
}

// TestOneStep is MSAL Python's way of before, without a flow.
func TestOneStep(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for kind, client := range w.codeClients(nil) {
		for _, c := range []struct {
			name, asked, expected string
			want                  error
		}{
			{"A33 with its nonce", "n-1", "n-1", nil},
			{"A33 without", "", "", nil},
			{"A33 not compared", "n-1", "", nil},
			{"A33 another nonce", "n-1", "n-2", msal.ErrIDTokenNonce},
			{"A33 no nonce", "", "n-1", msal.ErrIDTokenNonce},
		} {
			t.Run(c.name+", "+kind, func(t *testing.T) {
				t.Parallel()
				o := msal.AuthCodeOptions{ClientID: "app", RedirectURI: redirect, Scopes: scopes, State: "s-1"}
				uri, err := msal.AuthCodeURL(t.Context(), client, o, c.asked)
				if err != nil {
					t.Fatal(err)
				}
				if u, err := url.Parse(uri); err != nil || u.Query().Get("state") != "s-1" || u.Query().Has("code_challenge") {
					t.Errorf("%s, %v", uri, err)
				}
				answer, err := w.srv.Authorize(uri, alice)
				if err != nil {
					t.Fatal(err)
				}
				r, err := msal.RedeemCode(t.Context(), client, msal.CodeRequest{Code: answer.Get("code"), RedirectURI: redirect, Scopes: scopes}, c.expected)
				if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) || (r.AccessToken == "") != (c.want != nil) {
					t.Errorf("%v, want %v", err, c.want)
				}
			})
		}
	}
	client := w.codeClients(nil)["public"]
	for name, r := range map[string]msal.CodeRequest{"no code": {RedirectURI: redirect}, "no redirect URI": {Code: "x"}} {
		t.Run("A33 "+name, func(t *testing.T) {
			if _, err := msal.RedeemCode(t.Context(), client, r, ""); !errors.Is(err, msal.ErrFlow) {
				t.Error(err)
			}
		})
	}
	t.Run("A33 a code that isn't one", func(t *testing.T) {
		_, err := msal.RedeemCode(t.Context(), client, msal.CodeRequest{Code: "stolen-code-x", RedirectURI: redirect, Scopes: scopes}, "")
		if !errors.Is(err, msal.ErrInvalidGrant) {
			t.Error(err)
		}
		wantNoSecrets(t, err, "stolen-code-x")
	})
}
