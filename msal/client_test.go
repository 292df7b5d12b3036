package msal_test

import (
	"errors"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

func TestClientFeatures(t *testing.T) {
	t.Parallel()
	t.Run("A1 PublicClientApplication", clientPublic)
	t.Run("A2 no credential for public clients", clientWithoutCredential)
	t.Run("A3 ConfidentialClientApplication", clientConfidential)
	t.Run("A4 what both have", clientsAlike)
	t.Run("A5 client_id", clientID)
	t.Run("A26 acquire_token_for_client", clientOwnToken)
	t.Run("A33 acquire_token_by_authorization_code", clientRedeemsCode)
	t.Run("C15 what a result holds", clientResult)
}

// clientPublic: ours and MSAL's own work on one cache, in either direction.
func clientPublic(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	p, o := w.signedInPublic(w.options(nil)) // by MSAL's
	if r := silently(t, p, o); r.Account.PreferredUsername != alice {
		t.Errorf("%v", r)
	}
	flow, err := p.BeginDevice(t.Context(), scopes, "") // by ours
	if err == nil {
		err = w.srv.Approve(flow.UserCode, bob)
	}
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.CompleteDevice(t.Context(), flow, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.MSAL().AcquireTokenSilent(t.Context(), scopes, public.WithSilentAccount(r.Account)); err != nil {
		t.Error(err)
	}
}

// clientWithoutCredential: no credential is sent, and there is no parameter for
// one.
func clientWithoutCredential(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	p, o := w.signedInPublic(w.options(nil))
	forced := *o
	forced.ForceRefresh = true
	silently(t, p, &forced)
	w.byCodeFlow(p)
	for _, r := range w.srv.Requests(msaltest.KindToken) {
		if r.Form.Has("client_secret") || r.Form.Has("client_assertion") {
			t.Errorf("%s has a credential", r.Kind)
		}
	}
}

func clientConfidential(t *testing.T) {
	t.Parallel()
	w := newWorld(t, &msaltest.Options{ClientSecret: "secret"})
	c, o := w.signedInWeb(w.options(nil))
	if _, err := c.MSAL().AcquireTokenSilent(t.Context(), scopes, confidential.WithSilentAccount(*o.Account)); err != nil {
		t.Error(err)
	}
	other, err := msal.Secret("another")
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := msal.NewConfidential("web", other, w.options(nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wrong.ForClient(t.Context(), appScopes, nil); !errors.Is(err, msal.ErrInvalidClient) {
		t.Errorf("with a wrong secret: %v", err)
	}
}

// clientsAlike: one interface fits both.
func clientsAlike(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	type client interface {
		people
		codeFlows
		acquirer
	}
	for _, c := range []client{w.public(w.options(nil)), w.web(w.options(nil))} {
		r := w.byCodeFlow(c)
		if got := accountNames(listed(t, c)); got != alice {
			t.Errorf("%T lists %q", c, got)
		}
		silently(t, c, &msal.SilentOptions{Account: &r.Account})
		if err := c.Remove(t.Context(), r.Account); err != nil {
			t.Error(err)
		}
	}
}

func clientID(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	p, err := msal.NewPublic("another", w.options(nil))
	if err != nil {
		t.Fatal(err)
	}
	w.byCodeFlow(p)
	if id := w.last(msaltest.KindTokenCode).Form.Get("client_id"); id != "another" {
		t.Errorf("sent %q", id)
	}
}

func clientOwnToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c := w.web(w.options(nil))
	own := func(o *msal.ForClientOptions) msal.Result {
		t.Helper()
		r, err := c.ForClient(t.Context(), appScopes, o)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	first := own(nil)
	if second := own(nil); second.AccessToken != first.AccessToken || !second.FromCache() || first.FromCache() || w.srv.Count(msaltest.KindTokenClient) != 1 {
		t.Error("the cache wasn't looked into")
	}
	forced := own(&msal.ForClientOptions{ForceRefresh: true})
	if forced.AccessToken == first.AccessToken || own(nil).AccessToken != forced.AccessToken {
		t.Error("force refresh")
	}
	const claims = `{"access_token":{"nbf":{"value":"17"}}}`
	demanded := own(&msal.ForClientOptions{Claims: claims})
	if demanded.AccessToken == forced.AccessToken || w.last(msaltest.KindTokenClient).Form.Get("claims") != claims {
		t.Error("claims")
	}
	own(&msal.ForClientOptions{TenantID: "fabrikam.example"})
	if path := w.last(msaltest.KindTokenClient).Path; path != "/fabrikam.example/oauth2/v2.0/token" {
		t.Errorf("another tenant: %s", path)
	}
	if r := own(&msal.ForClientOptions{Scheme: testScheme{}}); r.TokenType != "pop" {
		t.Errorf("scheme: %v", r)
	}
	own(&msal.ForClientOptions{MSAL: []confidential.AcquireByCredentialOption{confidential.WithFMIPath("a/path")}})
	if got := w.last(msaltest.KindTokenClient).Form.Get("fmi_path"); got != "a/path" {
		t.Errorf("MSAL's option: %q", got)
	}
}

func clientRedeemsCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, c := range []codeFlows{w.public(w.options(nil)), w.web(w.options(nil))} {
		code := func() msal.CodeRequest {
			t.Helper()
			uri, err := c.AuthCodeURL(t.Context(), msal.AuthCodeOptions{RedirectURI: clientRedirect, Scopes: scopes, State: "mine"}, "sent")
			if err != nil {
				t.Fatal(err)
			}
			answer, err := w.srv.Authorize(uri, alice)
			if err != nil || answer.Get("state") != "mine" {
				t.Fatal(answer.Get("state"), err)
			}
			return msal.CodeRequest{Code: answer.Get("code"), RedirectURI: clientRedirect, Scopes: scopes}
		}
		request := code()
		r, err := c.RedeemCode(t.Context(), request, "sent")
		if err != nil || r.Account.PreferredUsername != alice {
			t.Errorf("%T: %v, %v", c, r, err)
		}
		if _, err := c.RedeemCode(t.Context(), request, ""); !errors.Is(err, msal.ErrInvalidGrant) {
			t.Errorf("%T: twice: %v", c, err)
		}
		if _, err := c.RedeemCode(t.Context(), code(), "another"); !errors.Is(err, msal.ErrIDTokenNonce) {
			t.Errorf("%T: the nonce: %v", c, err)
		}
		if got := listed(t, c.(people)); got != nil {
			t.Errorf("%T: who signed in elsewhere is in the cache: %q", c, accountNames(got))
		}
	}
}

func clientResult(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	p := w.public(w.options(nil))
	issued := w.byCodeFlow(p)
	if issued.RefreshToken == "" || issued.TokenType != "Bearer" || issued.FromCache() || len(issued.GrantedScopes) == 0 || issued.ExpiresIn() <= 0 {
		t.Errorf("issued: %+v", issued)
	}
	if issued.Claims()["preferred_username"] != alice || issued.Claims()["email"] != alice {
		t.Errorf("claims: %v", issued.Claims())
	}
	cached := silently(t, p, &msal.SilentOptions{Account: &issued.Account})
	if cached.RefreshToken != "" || !cached.FromCache() || cached.Claims()["email"] != alice || cached.TokenType != "Bearer" {
		t.Errorf("cached: %+v", cached)
	}
	app, err := w.web(w.options(nil)).ForClient(t.Context(), appScopes, nil)
	if err != nil || app.Claims() != nil {
		t.Errorf("of the application: %v, %v", app.Claims(), err)
	}
}
