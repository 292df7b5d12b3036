package msal_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// passwordClient is what both kinds of client have.
type passwordClient interface {
	Password(ctx context.Context, scopes []string, username, password string, o *msal.PasswordOptions) (msal.Result, error)
	Silent(context.Context, []string, *msal.SilentOptions) (msal.Result, error)
	Accounts(context.Context) ([]public.Account, error)
}

// forBoth runs a test for either kind of client; the confidential one has to
// prove which it is with each request.
func forBoth[C any](t *testing.T, name string, test func(w *world, c C, again func() C)) {
	t.Helper()
	for kind, make := range map[string]func(*world) any{
		"public": func(w *world) any { c, _ := w.cache(nil); return w.public(w.options(c)) },
		"confidential": func(w *world) any {
			w.srv.AddApp(msaltest.App{ClientID: "web", Secrets: []string{"secret"}})
			return w.api()
		},
	} {
		t.Run(name+" "+kind, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			again := func() C { return make(w).(C) }
			test(w, again(), again)
		})
	}
}

func TestPassword(t *testing.T) {
	t.Parallel()
	forBoth(t, "A25 signed in", func(w *world, c passwordClient, again func() passwordClient) {
		r, err := c.Password(w.Context(), scopes, bob, msaltest.DefaultPassword, nil)
		if err != nil || r.Account.PreferredUsername != bob || r.RefreshToken == "" || r.FromCache() {
			w.Fatalf("%v of %q, %v", r, r.Account.PreferredUsername, err)
		}
		if got := silently(w.T, again(), &msal.SilentOptions{Account: &r.Account}); got.AccessToken != r.AccessToken {
			w.Error("another process doesn't find the token")
		}
		if people, err := c.Accounts(w.Context()); accountNames(people) != bob {
			w.Errorf("signed in: %v, %v", accountNames(people), err)
		}
	})
	forBoth(t, "A25 wrong password", func(w *world, c passwordClient, _ func() passwordClient) {
		_, err := c.Password(w.Context(), scopes, bob, "my old password", nil)
		if _, ok := errors.AsType[*msal.Error](err); !ok || !errors.Is(err, msal.ErrInvalidGrant) || strings.Contains(err.Error(), "my old password") {
			w.Errorf("error is %v", err)
		}
		if people, err := c.Accounts(w.Context()); len(people) != 0 {
			w.Errorf("signed in: %v, %v", people, err)
		}
	})
	forBoth(t, "A25 more than a password is needed", func(w *world, c passwordClient, _ func() passwordClient) {
		w.srv.Fail(msaltest.KindTokenPassword, msaltest.Failure{Code: "invalid_grant", SubError: "basic_action", Codes: []int{50076}})
		if _, err := c.Password(w.Context(), scopes, bob, msaltest.DefaultPassword, nil); !errors.Is(err, msal.ErrInteractionRequired) {
			w.Errorf("error is %v", err)
		}
	})
	forBoth(t, "A25 another tenant", func(w *world, c passwordClient, _ func() passwordClient) {
		for tenant, want := range map[string]string{"": "contoso.example", "fabrikam.example": "fabrikam.example"} {
			r, err := c.Password(w.Context(), scopes, bob, msaltest.DefaultPassword, &msal.PasswordOptions{TenantID: tenant})
			if err != nil || r.Account.Realm != want {
				w.Errorf("tenant %q: signed in at %s, %v", tenant, r.Account.Realm, err)
			}
		}
	})
	forBoth(t, "C1 claims_challenge", func(w *world, c passwordClient, _ func() passwordClient) {
		const claims = `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`
		for _, want := range []string{"", claims} {
			if _, err := c.Password(w.Context(), scopes, bob, msaltest.DefaultPassword, &msal.PasswordOptions{Claims: want}); err != nil {
				w.Fatal(err)
			}
			if got := w.last(msaltest.KindTokenPassword).Form.Get("claims"); got != want {
				w.Errorf("sent the claims %q, want %q", got, want)
			}
		}
	})
}

// badge is an authentication scheme whose tokens are formatted.
type badge struct{}

func (badge) TokenRequestParams() map[string]string          { return map[string]string{"badge": "asked"} }
func (badge) KeyID() string                                  { return "key" }
func (badge) FormatAccessToken(token string) (string, error) { return "badge:" + token, nil }
func (badge) AccessTokenType() string                        { return "Badge" }

func TestPasswordScheme(t *testing.T) {
	t.Parallel()
	t.Run("C2 auth_scheme", func(t *testing.T) {
		w := newWorld(t, nil)
		r, err := w.public(w.options(nil)).Password(t.Context(), scopes, bob, msaltest.DefaultPassword, &msal.PasswordOptions{Scheme: badge{}})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(r.AccessToken, "badge:") || r.TokenType != "Badge" || w.last(msaltest.KindTokenPassword).Form.Get("badge") != "asked" {
			t.Errorf("a token of type %s", r.TokenType)
		}
	})
	t.Run("C2 of a confidential client", func(t *testing.T) {
		w := newWorld(t, nil)
		_, err := w.web(w.options(nil)).Password(t.Context(), scopes, bob, msaltest.DefaultPassword, &msal.PasswordOptions{Scheme: badge{}})
		if !errors.Is(err, msal.ErrOptions) || w.srv.Count(msaltest.KindToken) != 0 {
			t.Errorf("error is %v", err)
		}
	})
}

// TestPasswordOnPlainMSAL: MSAL's own method sends no credential, and is refused
// by a provider that asks for one.
func TestPasswordOnPlainMSAL(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.srv.AddApp(msaltest.App{ClientID: "web", Secrets: []string{"secret"}})
	_, err := w.confidential().AcquireTokenByUsernamePassword(t.Context(), scopes, bob, msaltest.DefaultPassword)
	if err == nil || !strings.Contains(err.Error(), "AADSTS7000218") {
		t.Errorf("MSAL sends the credential by itself now (%v): Confidential.Password needn't any more", err)
	}
}

// TestPasswordCredentialFails: no password is sent where the client can't prove
// which it is.
func TestPasswordCredentialFails(t *testing.T) {
	t.Parallel()
	t.Run("A25 credential that fails", func(t *testing.T) {
		w := newWorld(t, nil)
		sealed := errors.New("the vault is sealed")
		c, err := msal.AssertionFunc(func(context.Context, msal.AssertionOptions) (string, error) { return "", sealed })
		if err != nil {
			t.Fatal(err)
		}
		client, err := msal.NewConfidential("web", c, w.options(nil))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Password(t.Context(), scopes, bob, msaltest.DefaultPassword, nil); !errors.Is(err, sealed) || w.srv.Count(msaltest.KindToken) != 0 {
			t.Errorf("error is %v, with %d requests", err, w.srv.Count(msaltest.KindToken))
		}
	})
}
