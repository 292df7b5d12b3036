package msal_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// refreshTokenClient is what both kinds of client have.
type refreshTokenClient interface {
	Password(ctx context.Context, scopes []string, username, password string, o *msal.PasswordOptions) (msal.Result, error)
	RefreshToken(ctx context.Context, refreshToken string, scopes []string, o *msal.RefreshTokenOptions) (msal.Result, error)
	Silent(context.Context, []string, *msal.SilentOptions) (msal.Result, error)
	Accounts(context.Context) ([]public.Account, error)
}

// elsewhere gets a refresh token of bob's for the same application, in a cache
// that is gone.
func (w *world) elsewhere(c any) string {
	w.Helper()
	var r msal.Result
	var err error
	switch c.(type) {
	case *msal.Public:
		r, err = w.public(w.options(nil)).Password(w.Context(), scopes, bob, msaltest.DefaultPassword, nil)
	default:
		r, err = w.web(w.options(nil)).Password(w.Context(), scopes, bob, msaltest.DefaultPassword, nil)
	}
	if err != nil {
		w.Fatal(err)
	}
	return r.RefreshToken
}

func TestRefreshToken(t *testing.T) {
	t.Parallel()
	forBoth(t, "C14 signed in", func(w *world, c refreshTokenClient, again func() refreshTokenClient) {
		brought := w.elsewhere(c)
		r, err := c.RefreshToken(w.Context(), brought, scopes, nil)
		if err != nil || r.Account.PreferredUsername != bob || r.RefreshToken == "" || r.RefreshToken == brought {
			w.Fatalf("%v of %q, %v", r, r.Account.PreferredUsername, err)
		}
		if got := silently(w.T, again(), &msal.SilentOptions{Account: &r.Account}); got.AccessToken != r.AccessToken {
			w.Error("another process doesn't find the token")
		}
		silently(w.T, again(), &msal.SilentOptions{Account: &r.Account, ForceRefresh: true})
		if sent := w.last(msaltest.KindTokenRefresh).Form.Get("refresh_token"); sent != r.RefreshToken {
			w.Error("the refresh token that came of it wasn't redeemed next")
		}
		if stored := w.stored(); bytes.Contains(stored, []byte(brought)) || bytes.Contains(stored, []byte("msalext-")) {
			w.Error("what was brought is left in the cache")
		}
		if people, err := c.Accounts(w.Context()); accountNames(people) != bob {
			w.Errorf("signed in: %v, %v", accountNames(people), err)
		}
	})
	forBoth(t, "C14 beside others", func(w *world, c refreshTokenClient, again func() refreshTokenClient) {
		other, err := c.Password(w.Context(), scopes, alice, msaltest.DefaultPassword, nil)
		if err != nil {
			w.Fatal(err)
		}
		if _, err := c.RefreshToken(w.Context(), w.elsewhere(c), scopes, nil); err != nil {
			w.Fatal(err)
		}
		if got := silently(w.T, again(), &msal.SilentOptions{Account: &other.Account}); got.AccessToken != other.AccessToken {
			w.Error("somebody else's token is gone")
		}
		if people, _ := again().Accounts(w.Context()); len(people) != 2 {
			w.Errorf("signed in: %q", accountNames(people))
		}
	})
	forBoth(t, "C14 refused", func(w *world, c refreshTokenClient, _ func() refreshTokenClient) {
		for _, brought := range []string{"", "a-token-that-nobody-issued"} {
			_, err := c.RefreshToken(w.Context(), brought, scopes, nil)
			if !errors.Is(err, msal.ErrInvalidGrant) || brought != "" && strings.Contains(err.Error(), brought) {
				w.Errorf("%q: error is %v", brought, err)
			}
		}
		if people, err := c.Accounts(w.Context()); len(people) != 0 {
			w.Errorf("signed in: %v, %v", people, err)
		}
		if n := w.srv.Count(msaltest.KindTokenRefresh); n != 1 {
			w.Errorf("%d requests", n)
		}
	})
	forBoth(t, "C14 claims and tenant", func(w *world, c refreshTokenClient, _ func() refreshTokenClient) {
		const claims = `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`
		r, err := c.RefreshToken(w.Context(), w.elsewhere(c), scopes, &msal.RefreshTokenOptions{Claims: claims, TenantID: "fabrikam.example"})
		if err != nil || r.Account.Realm != "fabrikam.example" {
			w.Errorf("signed in at %s, %v", r.Account.Realm, err)
		}
		if got := w.last(msaltest.KindTokenRefresh); got.Form.Get("claims") != claims || !strings.HasPrefix(got.Path, "/fabrikam.example/") {
			w.Errorf("sent to %s: %q", got.Path, got.Form.Get("claims"))
		}
	})
}

func TestRefreshTokenWhileTheStoreFails(t *testing.T) {
	t.Parallel()
	t.Run("C14 store that fails", func(t *testing.T) {
		w := newWorld(t, nil)
		var told error
		c, s := w.cache(&persist.CacheOptions{OnError: func(err error) { told = err }})
		client := w.public(w.options(c))
		brought := w.elsewhere(client)
		s.fail(nil, &backend.Error{Kind: backend.ErrUnavailable})
		r, err := client.RefreshToken(t.Context(), brought, scopes, nil)
		if err != nil || !errors.Is(told, backend.ErrUnavailable) {
			t.Fatalf("%v; told %v", err, told)
		}
		s.fail(nil, nil)
		if err := c.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := silently(t, w.public(w.options(first(w.cache(nil)))), &msal.SilentOptions{Account: &r.Account}); got.AccessToken != r.AccessToken {
			t.Error("the token wasn't stored later")
		}
	})
}

func first[A, B any](a A, _ B) A { return a }
