package azcredential_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/azcredential"
)

// asked notes what a client is asked for.
type asked struct {
	name string
	all  *[]string
}

func (a asked) Silent(_ context.Context, scopes []string, o *msal.SilentOptions) (msal.Result, error) {
	who := "nobody"
	if o.Account != nil {
		who = o.Account.HomeAccountID
	}
	*a.all = append(*a.all, fmt.Sprint(a.name, scopes, who, o.Claims, o.TenantID, o.ForceRefresh))
	r := msal.Result{AuthResult: public.AuthResult{AccessToken: a.name, ExpiresOn: time.Unix(2000, 0)}}
	r.Metadata.RefreshOn = time.Unix(1000, 0)
	return r, nil
}

func TestTokenRequestOptions(t *testing.T) {
	t.Parallel()
	var all []string
	account := &public.Account{HomeAccountID: "alice"}
	both := azcredential.New(asked{"cae", &all}, &azcredential.Options{Account: account, WithoutCAE: asked{"plain", &all}})
	one := azcredential.New(asked{"one", &all}, nil)
	for _, c := range []struct {
		name       string
		credential *azcredential.Credential
		o          policy.TokenRequestOptions
		token      string
		want       string
	}{
		{"scopes and account", both, policy.TokenRequestOptions{Scopes: []string{"b", "a"}, EnableCAE: true}, "cae", "cae[b a]alicefalse"},
		{"without CAE", both, policy.TokenRequestOptions{Scopes: scopes}, "plain", "plain[https://vault.azure.net/.default]alicefalse"},
		{"claims", both, policy.TokenRequestOptions{Scopes: scopes, EnableCAE: true, Claims: "{}"}, "cae", "cae[https://vault.azure.net/.default]alice{}false"},
		{"another tenant", both, policy.TokenRequestOptions{Scopes: scopes, EnableCAE: true, TenantID: "fabrikam"}, "cae", "cae[https://vault.azure.net/.default]alicefabrikamfalse"},
		{"without CAE, of one client", one, policy.TokenRequestOptions{Scopes: scopes}, "one", "one[https://vault.azure.net/.default]nobodyfalse"},
	} {
		t.Run(c.name, func(t *testing.T) {
			all = nil
			got, err := c.credential.GetToken(t.Context(), c.o)
			want := azcore.AccessToken{Token: c.token, ExpiresOn: time.Unix(2000, 0), RefreshOn: time.Unix(1000, 0)}
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Error(err, diff)
			}
			if len(all) != 1 || strings.ReplaceAll(all[0], " ", "") != strings.ReplaceAll(c.want, " ", "") {
				t.Errorf("asked %q, want %q", all, c.want)
			}
		})
	}
	all = nil
	if _, err := one.GetToken(t.Context(), policy.TokenRequestOptions{}); !errors.Is(err, msal.ErrOptions) || len(all) != 0 {
		t.Errorf("no scopes: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := one.GetToken(ended, policy.TokenRequestOptions{Scopes: scopes}); !errors.Is(err, context.Canceled) || len(all) != 0 {
		t.Errorf("after its end: %v", err)
	}
}

// TestSharedCalls: who comes at the same time for the same token shares a call,
// and who leaves doesn't end it.
func TestSharedCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		release := make(chan struct{})
		credential := azcredential.New(msal.SilentFunc(func(ctx context.Context, _ []string, o *msal.SilentOptions) (msal.Result, error) {
			calls.Add(1)
			<-release
			return msal.Result{AuthResult: public.AuthResult{AccessToken: "for " + o.Claims}}, ctx.Err()
		}), nil)
		get := func(ctx context.Context, claims string, into chan<- error) {
			got, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: scopes, Claims: claims})
			if err == nil && got.Token != "for "+claims {
				err = fmt.Errorf("the token is %q", got.Token)
			}
			into <- err
		}
		first, others := make(chan error), make(chan error, 20)
		leaving, leave := context.WithCancel(t.Context())
		go get(leaving, "a", first)
		synctest.Wait()
		for i := range cap(others) {
			go get(t.Context(), string("ab"[i%2]), others)
		}
		synctest.Wait()
		leave()
		if err := <-first; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		close(release)
		for range cap(others) {
			if err := <-others; err != nil {
				t.Error(err)
			}
		}
		if calls.Load() != 2 {
			t.Errorf("%d calls for two tokens", calls.Load())
		}
	})
}
