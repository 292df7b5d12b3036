package msal_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// TestSilentOfTheApplication: without an account a confidential client's call is
// about its own token.
func TestSilentOfTheApplication(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	cache, _ := w.cache(nil)
	c := w.web(w.options(cache))
	app := []string{"https://graph.microsoft.com/.default"}
	if _, err := c.Silent(t.Context(), app, nil); !errors.Is(err, msal.ErrNoToken) || w.srv.Count(msaltest.KindToken) != 0 {
		t.Errorf("%v; %d requests", err, w.srv.Count(msaltest.KindToken))
	}
	first, err := c.ForClient(t.Context(), app, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.Silent(t.Context(), app, nil); err != nil || got.AccessToken != first.AccessToken {
		t.Errorf("%v, %v", got, err)
	}
	forced, err := c.Silent(t.Context(), app, &msal.SilentOptions{ForceRefresh: true})
	if err != nil || forced.AccessToken == first.AccessToken {
		t.Errorf("%v, %v", forced, err)
	}
	if got, err := c.Silent(t.Context(), app, nil); err != nil || got.AccessToken != forced.AccessToken {
		t.Errorf("%v, %v", got, err)
	}
	setTime(t, cache, "refresh_on", time.Now().Add(-time.Minute))
	if got, err := c.Silent(t.Context(), app, nil); err != nil || got.AccessToken == forced.AccessToken {
		t.Errorf("not renewed in time: %v, %v", got, err)
	}
}

// TestSilentOfTheApplicationWithAScheme finds the scheme's token, and no other.
func TestSilentOfTheApplicationWithAScheme(t *testing.T) {
	t.Parallel()
	c := newWorld(t, nil).api()
	bound := &msal.SilentOptions{Scheme: testScheme{}}
	if _, err := c.ForClient(t.Context(), appScopes, nil); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Silent(t.Context(), appScopes, bound); !errors.Is(err, msal.ErrNoToken) {
		t.Errorf("a bearer token: %v, %v", got, err)
	}
	if _, err := c.ForClient(t.Context(), appScopes, &msal.ForClientOptions{Scheme: testScheme{}}); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Silent(t.Context(), appScopes, bound); err != nil || !got.FromCache() || got.TokenType != "pop" {
		t.Errorf("%v, %v", got, err)
	}
}

// TestForceRefreshWithSpecialParameters: tokens that were asked for with those
// are in the cache as others are, and are just as old when a new one is wanted.
func TestForceRefreshWithSpecialParameters(t *testing.T) {
	t.Parallel()
	for name, special := range map[string]confidential.AcquireByCredentialOption{
		"A26 FMI path": confidential.WithFMIPath("a/path"), "A26 attribute": confidential.WithAttribute("blue"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			c := w.api()
			get := func(force bool, more ...confidential.AcquireByCredentialOption) msal.Result {
				t.Helper()
				r, err := c.ForClient(t.Context(), appScopes, &msal.ForClientOptions{ForceRefresh: force, MSAL: more})
				if err != nil {
					t.Fatal(err)
				}
				return r
			}
			ordinary, first := get(false), get(false, special)
			if got := get(false, special); got.AccessToken != first.AccessToken || first.AccessToken == ordinary.AccessToken {
				t.Fatal("not found without force")
			}
			forced := get(true, special)
			if forced.FromCache() || forced.AccessToken == first.AccessToken {
				t.Error("the token of the cache was returned")
			}
			c = w.api() // another process
			if get(false, special).AccessToken != forced.AccessToken || get(false).AccessToken != ordinary.AccessToken {
				t.Error("the cache doesn't have the new token, and the ordinary one as it was")
			}
		})
	}
}

func TestSilentOfNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	p, _ := w.signedInPublic(w.options(nil))
	for _, o := range []*msal.SilentOptions{nil, {}, {ForceRefresh: true}, {Claims: `{"a":1}`}} {
		if _, err := p.Silent(t.Context(), scopes, o); !errors.Is(err, msal.ErrNoToken) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// TestSilentRenewalThatFails: a token that is still good is returned although it
// could not be renewed ahead of its end; MSAL's public client returns the error.
func TestSilentRenewalThatFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	cache, _ := w.cache(nil)
	p, o := w.signedInPublic(w.options(cache))
	token := silently(t, p, o).AccessToken
	bound := *o
	bound.Scheme = testScheme{}
	silently(t, p, &bound)
	setTime(t, cache, "refresh_on", time.Now().Add(-time.Minute))
	w.srv.Fail(msaltest.KindTokenRefresh, msaltest.Failure{Status: 503}, msaltest.Failure{Status: 503}, msaltest.Failure{Status: 503})
	if _, err := p.MSAL().AcquireTokenSilent(t.Context(), scopes, public.WithSilentAccount(*o.Account)); err == nil {
		t.Error("MSAL has mended it: leave it to MSAL")
	}
	if got := silently(t, p, o); got.AccessToken != token {
		t.Error("another token")
	}
	if got := silently(t, p, &bound); !strings.HasPrefix(got.AccessToken, "scheme ") {
		t.Error("not the scheme's form")
	}
	if n := w.srv.Count(msaltest.KindTokenRefresh); n != 4 {
		t.Errorf("%d refreshes", n)
	}
}

// TestNobodysAccount: an account without an id must not stand for the
// application, whose tokens have none either.
func TestNobodysAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	cache, _ := w.cache(nil)
	c := w.web(w.options(cache))
	if _, err := c.ForClient(t.Context(), appScopes, nil); err != nil {
		t.Fatal(err)
	}
	p, err := msal.NewPublic("web", w.options(cache))
	if err != nil {
		t.Fatal(err)
	}
	for name, one := range map[string]people{"public": p, "confidential": c} {
		t.Run(name, func(t *testing.T) {
			for _, o := range []msal.SilentOptions{{}, {ForceRefresh: true}, {Claims: `{"a":1}`}} {
				o.Account = &public.Account{Environment: "login.microsoftonline.com", PreferredUsername: alice}
				if r, err := one.Silent(t.Context(), appScopes, &o); !errors.Is(err, msal.ErrNoToken) {
					t.Errorf("%v, %v", r, err)
				}
			}
			if err := one.Remove(t.Context(), public.Account{}); !errors.Is(err, backend.ErrInvalid) {
				t.Errorf("signed out: %v", err)
			}
		})
	}
}

// TestSilentOfTheApplicationIsOffline: what isn't in the cache is told without
// asking anybody for anything.
func TestSilentOfTheApplicationIsOffline(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	cache, _ := w.cache(nil)
	if _, err := w.web(w.options(cache)).ForClient(t.Context(), appScopes, nil); err != nil {
		t.Fatal(err)
	}
	var proofs int
	credential, err := msal.AssertionFunc(func(context.Context, msal.AssertionOptions) (string, error) {
		proofs++
		return "", errors.New("no proof")
	})
	if err != nil {
		t.Fatal(err)
	}
	o := w.options(cache)
	o.HTTPClient = network(func(req *http.Request) (*http.Response, error) {
		t.Errorf("asked %s", req.URL)
		return nil, errors.New("offline")
	})
	c, err := msal.NewConfidential("web", credential, o)
	if err != nil {
		t.Fatal(err)
	}
	other := []string{"api://another/.default"}
	for name, row := range map[string]struct {
		scopes []string
		o      msal.SilentOptions
	}{
		"other scopes":   {other, msal.SilentOptions{}},
		"another tenant": {appScopes, msal.SilentOptions{TenantID: "fabrikam.example"}},
		"another scheme": {appScopes, msal.SilentOptions{Scheme: testScheme{}}},
	} {
		if _, err := c.Silent(t.Context(), row.scopes, &row.o); !errors.Is(err, msal.ErrNoToken) || proofs != 0 {
			t.Errorf("%s: %v, and %d proofs", name, err, proofs)
		}
	}
}

// TestForClientOptionsOfMSAL: those of MSAL's count where ours say nothing.
func TestForClientOptionsOfMSAL(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c := w.web(w.options(nil))
	for _, row := range []struct{ tenant, want string }{{"", "/fabrikam.example/"}, {"northwind.example", "/northwind.example/"}} {
		o := &msal.ForClientOptions{TenantID: row.tenant, MSAL: []confidential.AcquireByCredentialOption{confidential.WithTenantID("fabrikam.example")}}
		if _, err := c.ForClient(t.Context(), appScopes, o); err != nil {
			t.Fatal(err)
		}
		if path := w.last(msaltest.KindTokenClient).Path; !strings.HasPrefix(path, row.want) {
			t.Errorf("TenantID %q: asked at %s", row.tenant, path)
		}
	}
}
