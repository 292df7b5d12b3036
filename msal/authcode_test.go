package msal_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/msal"
)

// codeClients are both kinds of MSAL client, with a network between them and
// the fake where one is given.
func (w *world) codeClients(http msal.Doer) map[string]msal.CodeClient {
	w.Helper()
	if http == nil {
		http = w.srv.Client()
	}
	pub, err := public.New("app", public.WithAuthority(w.srv.Authority()), public.WithHTTPClient(http), public.WithInstanceDiscovery(false))
	if err != nil {
		w.Fatal(err)
	}
	credential, err := confidential.NewCredFromSecret("secret")
	if err != nil {
		w.Fatal(err)
	}
	conf, err := confidential.New(w.srv.Authority(), "app", credential, confidential.WithHTTPClient(http), confidential.WithInstanceDiscovery(false))
	if err != nil {
		w.Fatal(err)
	}
	return map[string]msal.CodeClient{"public": msal.PublicCode(pub), "confidential": msal.ConfidentialCode(conf)}
}

func (w *world) begin(client msal.CodeClient, o msal.AuthCodeOptions) msal.AuthCodeFlow {
	w.Helper()
	o.ClientID, o.RedirectURI = "app", redirect
	if o.Scopes == nil {
		o.Scopes = scopes
	}
	flow, err := msal.BeginAuthCode(w.Context(), client, o)
	if err != nil {
		w.Fatal(err)
	}
	return flow
}

// follow is the browser's part.
func (w *world) follow(flow msal.AuthCodeFlow, who string) url.Values {
	w.Helper()
	answer, err := w.srv.Authorize(flow.AuthURI, who)
	if err != nil {
		w.Fatal(err)
	}
	return answer
}

func TestAuthCodeFlow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for name, client := range w.codeClients(nil) {
		t.Run("C5 "+name, func(t *testing.T) {
			t.Parallel()
			flow := w.begin(client, msal.AuthCodeOptions{})
			text, err := json.Marshal(flow) // a web app's other process has it
			if err != nil {
				t.Fatal(err)
			}
			var later msal.AuthCodeFlow
			if err := json.Unmarshal(text, &later); err != nil || !cmp.Equal(flow, later) {
				t.Fatal(err, cmp.Diff(flow, later))
			}
			result, err := later.Complete(t.Context(), client, w.follow(flow, alice), nil)
			if err != nil || result.Account.PreferredUsername != alice || result.AccessToken == "" {
				t.Errorf("%v, %v", result.Account, err)
			}
		})
	}
}

func TestAuthCodeURL(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for name, client := range w.codeClients(nil) {
		t.Run("A28 "+name, func(t *testing.T) {
			t.Parallel()
			flow := w.begin(client, msal.AuthCodeOptions{
				Scopes: []string{"User.Read", "api://orders/Read"}, Prompt: msal.PromptSelectAccount, LoginHint: "alice+1@contoso.example",
				DomainHint: "contoso.example", ResponseMode: "form_post", Claims: `{"id_token":{"auth_time":{"essential":true}}}`, MaxAge: new(0),
				State: "mine & yours", Query: url.Values{"dc": {"ESTS-PUB"}},
			})
			u, err := url.Parse(flow.AuthURI)
			if err != nil {
				t.Fatal(err)
			}
			query := u.Query()
			for _, secret := range []string{flow.CodeVerifier, flow.Nonce} {
				if len(secret) != 43 || strings.Contains(flow.AuthURI, secret) {
					t.Errorf("a secret of %d characters in %s", len(secret), flow.AuthURI)
				}
			}
			if len(query.Get("code_challenge")) != 43 || len(query.Get("nonce")) != 64 {
				t.Errorf("query is %v", query)
			}
			query.Del("code_challenge")
			query.Del("nonce")
			want := url.Values{
				"client_id": {"app"}, "response_type": {"code"}, "redirect_uri": {redirect}, "scope": {"User.Read api://orders/Read offline_access openid profile"},
				"state": {"mine & yours"}, "prompt": {"select_account"}, "login_hint": {"alice+1@contoso.example"}, "domain_hint": {"contoso.example"},
				"response_mode": {"form_post"}, "claims": {`{"id_token":{"auth_time":{"essential":true}}}`}, "max_age": {"0"}, "code_challenge_method": {"S256"}, "dc": {"ESTS-PUB"},
			}
			if diff := cmp.Diff(want, query); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAuthCodeFlowsDiffer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	client := w.codeClients(nil)["public"]
	seen := map[string]bool{}
	for range 8 {
		f := w.begin(client, msal.AuthCodeOptions{})
		seen[f.State], seen[f.Nonce], seen[f.CodeVerifier] = true, true, true
	}
	if len(seen) != 24 {
		t.Errorf("%d different secrets in 8 flows", len(seen))
	}
}

func TestBeginAuthCodeRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	client := w.codeClients(nil)["public"]
	for name, change := range map[string]func(*msal.AuthCodeOptions){
		"no client id":         func(o *msal.AuthCodeOptions) { o.ClientID = "" },
		"no redirect URI":      func(o *msal.AuthCodeOptions) { o.RedirectURI = "" },
		"a relative one":       func(o *msal.AuthCodeOptions) { o.RedirectURI = "/authorized" },
		"one with a fragment":  func(o *msal.AuthCodeOptions) { o.RedirectURI = redirect + "#x" },
		"a negative age":       func(o *msal.AuthCodeOptions) { o.MaxAge = new(-1) },
		"a scope of two":       func(o *msal.AuthCodeOptions) { o.Scopes = []string{"a b"} },
		"an empty scope":       func(o *msal.AuthCodeOptions) { o.Scopes = []string{""} },
		"another state":        func(o *msal.AuthCodeOptions) { o.Query = url.Values{"state": {"x"}} },
		"another redirect URI": func(o *msal.AuthCodeOptions) { o.Query = url.Values{"redirect_uri": {"https://evil.example"}} },
		"a request object":     func(o *msal.AuthCodeOptions) { o.Query = url.Values{"request": {"x"}} },
	} {
		t.Run("A28 "+name, func(t *testing.T) {
			t.Parallel()
			o := msal.AuthCodeOptions{ClientID: "app", RedirectURI: redirect, Scopes: scopes}
			change(&o)
			if flow, err := msal.BeginAuthCode(t.Context(), client, o); !errors.Is(err, msal.ErrFlow) {
				t.Errorf("%s, %v", flow.AuthURI, err)
			}
		})
	}
}

// TestAuthCodeFlowOfPython completes what MSAL Python's initiate_auth_code_flow
// returned as JSON.
func TestAuthCodeFlowOfPython(t *testing.T) {
	t.Parallel()
	const python = `{"state": "nbXQoYuRjp5AfmgkG-4ORw", "redirect_uri": "https://app.example/authorized", "scope": ["User.Read", "openid"],
		"auth_uri": "https://x/a", "code_verifier": "yYFFgYV0dNZl0ixKfqIifr6YpCQKdDo8VKIJkW1kuMF", "nonce": "bOEwbKdbwT3lb-Gg51X6aw", "claims_challenge": null}`
	var flow msal.AuthCodeFlow
	if err := json.Unmarshal([]byte(python), &flow); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, nil)
	client := w.codeClients(nil)["confidential"]
	// What Python's msal 1.39 had in auth_uri for them.
	answer, err := w.srv.Authorize(w.srv.Authority()+"/oauth2/v2.0/authorize?"+url.Values{
		"client_id": {"app"}, "response_type": {"code"}, "redirect_uri": {redirect}, "scope": {"User.Read offline_access openid profile"}, "state": {flow.State},
		"code_challenge": {"eL9CiB85dsQBFZOVBGOl38kty3sylRaGa3AkTOrRHr8"}, "code_challenge_method": {"S256"}, "nonce": {"6c283c3940f40022683bfa6556529f0f99e042c4561096e0124f48d37f2874ef"},
	}.Encode(), alice)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := flow.Complete(t.Context(), client, answer, nil); err != nil {
		t.Error(err)
	}
	text, err := json.Marshal(flow)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"state", "redirect_uri", "scope", "auth_uri", "code_verifier", "nonce"} {
		if _, ok := members[name]; !ok {
			t.Errorf("no %s, which Python reads", name)
		}
	}
}

func TestAuthCodeFlowShowsNoSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	flow := w.begin(w.codeClients(nil)["public"], msal.AuthCodeOptions{LoginHint: alice})
	text := fmt.Sprintf("%v %+v %#v %s %v", flow, flow, flow, &flow, flow.LogValue())
	if slices.ContainsFunc([]string{flow.State, flow.Nonce, flow.CodeVerifier, "alice"}, func(s string) bool { return strings.Contains(text, s) }) {
		t.Error(text)
	}
}
