package msal

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/msal/msaltest"
)

// refilled does to a client that is to find no access token what another
// goroutine does whose token was just issued: it loads them all, between this
// one's Replace and its search.
type refilled struct {
	withoutAccessTokens

	times int
	then  func()
}

func (r *refilled) Replace(ctx context.Context, u cache.Unmarshaler, h cache.ReplaceHints) error {
	if err := r.withoutAccessTokens.Replace(ctx, u, h); err != nil || r.times == 0 {
		return err
	}
	r.times--
	if r.then != nil {
		r.then()
	}
	return r.access.Replace(ctx, u, h)
}

// TestForcedCallWhileATokenIsStored returns no token of the cache.
func TestForcedCallWhileATokenIsStored(t *testing.T) {
	t.Parallel()
	srv := msaltest.New(nil)
	defer srv.Close()
	secret, err := Secret("secret")
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewConfidential("web", secret, &Options{Authority: srv.Authority(), HTTPClient: srv.Client(), DisableInstanceDiscovery: true})
	if err != nil {
		t.Fatal(err)
	}
	scopes := []string{"https://graph.microsoft.com/.default"}
	old, err := c.ForClient(t.Context(), scopes, nil)
	if err != nil {
		t.Fatal(err)
	}
	race := &refilled{withoutAccessTokens: withoutAccessTokens{c.accessor}, times: 2}
	c.fresh = sync.OnceValues(func() (confidential.Client, error) { return c.newMSAL(race) })
	forced, err := c.ForClient(t.Context(), scopes, &ForClientOptions{ForceRefresh: true})
	if err != nil || forced.FromCache() || forced.AccessToken == old.AccessToken || race.times != 0 {
		t.Errorf("%v, %v", forced, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	race.times, race.then = 1, cancel
	if r, err := c.ForClient(ctx, scopes, &ForClientOptions{ForceRefresh: true}); !errors.Is(err, context.Canceled) || r.AccessToken != "" {
		t.Errorf("ended: %v, %v", r, err)
	}
}

// TestForcedSilentCallWhileATokenIsStored is the same for a person's token.
func TestForcedSilentCallWhileATokenIsStored(t *testing.T) {
	t.Parallel()
	srv := msaltest.New(nil)
	defer srv.Close()
	p, err := NewPublic("client", &Options{Authority: srv.Authority(), HTTPClient: srv.Client(), DisableInstanceDiscovery: true})
	if err != nil {
		t.Fatal(err)
	}
	scopes := []string{"User.Read"}
	old, err := passwords(p.msal).AcquireTokenByUsernamePassword(t.Context(), scopes, "alice@contoso.example", msaltest.DefaultPassword)
	if err != nil {
		t.Fatal(err)
	}
	race := &refilled{withoutAccessTokens: withoutAccessTokens{p.accessor}, times: 2}
	p.fresh = sync.OnceValues(func() (public.Client, error) { return p.newMSAL(race) })
	forced, err := p.Silent(t.Context(), scopes, &SilentOptions{Account: &old.Account, ForceRefresh: true})
	if err != nil || forced.FromCache() || forced.AccessToken == old.AccessToken || race.times != 0 {
		t.Errorf("%v, %v", forced, err)
	}
}
