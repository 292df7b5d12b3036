package azcredential_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/azcredential"
	"github.com/msalext/msalext/msal/msaltest"
)

const alice = "alice@contoso.example"

var scopes = []string{"https://vault.azure.net/.default"}

func options(srv *msaltest.Server) *msal.Options {
	return &msal.Options{Authority: srv.Authority(), HTTPClient: srv.Client(), DisableInstanceDiscovery: true, Capabilities: []string{"cp1"}}
}

func newServer(t *testing.T) *msaltest.Server {
	t.Helper()
	srv := msaltest.New(nil)
	t.Cleanup(srv.Close)
	return srv
}

// signedIn is a client with alice in its cache.
func signedIn(t *testing.T, srv *msaltest.Server) (*msal.Public, *public.Account) {
	t.Helper()
	client, err := msal.NewPublic("app", options(srv))
	if err != nil {
		t.Fatal(err)
	}
	flow, err := client.BeginAuthCode(t.Context(), msal.AuthCodeOptions{RedirectURI: "https://app.example/", Scopes: scopes})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := srv.Authorize(flow.AuthURI, alice)
	if err != nil {
		t.Fatal(err)
	}
	r, err := client.CompleteAuthCode(t.Context(), flow, answer, nil)
	if err != nil {
		t.Fatal(err)
	}
	return client, &r.Account
}

// vault is a service of Azure's. It takes each token once the policy allows it,
// and the first that it ever saw only until revoked.
type vault struct {
	*httptest.Server
	revoked atomic.Bool
	first   atomic.Pointer[string]
	seen    atomic.Int32
}

const challenge = `{"access_token":{"nbf":{"essential":true,"value":"1780000000"}}}`

func newVault(t *testing.T) *vault {
	t.Helper()
	v := &vault{}
	v.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v.seen.Add(1)
		token := r.Header.Get("Authorization")
		v.first.CompareAndSwap(nil, &token)
		if v.revoked.Load() && token == *v.first.Load() {
			w.Header().Set("WWW-Authenticate", `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", error="insufficient_claims", claims="`+
				base64.StdEncoding.EncodeToString([]byte(challenge))+`"`)
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(v.Close)
	return v
}

// get is what a client of the Azure SDK does.
func (v *vault) get(t *testing.T, credential azcore.TokenCredential) func() (int, error) {
	t.Helper()
	auth := runtime.NewBearerTokenPolicy(credential, scopes, nil)
	pipeline := runtime.NewPipeline("test", "v1", runtime.PipelineOptions{PerRetry: []policy.Policy{auth}},
		&policy.ClientOptions{Transport: v.Client(), Retry: policy.RetryOptions{MaxRetries: -1}})
	return func() (int, error) {
		req, err := runtime.NewRequest(t.Context(), http.MethodGet, v.URL)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := pipeline.Do(req)
		if err != nil {
			return 0, err
		}
		resp.Body.Close()
		return resp.StatusCode, nil
	}
}

// TestInTheSDK has the SDK's own policy ask for tokens, and a service revoke one.
func TestInTheSDK(t *testing.T) {
	t.Parallel()
	srv, v := newServer(t), newVault(t)
	client, account := signedIn(t, srv)
	get := v.get(t, azcredential.New(client, &azcredential.Options{Account: account}))
	for range 2 {
		if status, err := get(); err != nil || status != http.StatusOK {
			t.Fatalf("%d, %v", status, err)
		}
	}
	if n := srv.Count(msaltest.KindTokenRefresh); n != 0 {
		t.Errorf("%d tokens were refreshed, though there was one in the cache", n)
	}
	v.revoked.Store(true)
	if status, err := get(); err != nil || status != http.StatusOK || v.seen.Load() != 4 {
		t.Errorf("after the revocation: %d, %v, %d requests", status, err, v.seen.Load())
	}
	all := srv.Requests(msaltest.KindTokenRefresh)
	if len(all) != 1 || !strings.Contains(all[0].Form.Get("claims"), `"1780000000"`) || !strings.Contains(all[0].Form.Get("claims"), `"cp1"`) {
		t.Errorf("%d refreshes: %+v", len(all), all)
	}
}

// TestOwnTokens is a service without a person.
func TestOwnTokens(t *testing.T) {
	t.Parallel()
	srv, v := newServer(t), newVault(t)
	secret, err := msal.Secret("secret")
	if err != nil {
		t.Fatal(err)
	}
	client, err := msal.NewConfidential("app", secret, options(srv))
	if err != nil {
		t.Fatal(err)
	}
	get := v.get(t, azcredential.New(msal.OwnTokens(client), nil))
	v.revoked.Store(true)
	if status, err := get(); err != nil || status != http.StatusOK || v.seen.Load() != 2 {
		t.Errorf("%d, %v, %d requests", status, err, v.seen.Load())
	}
	if n := srv.Count(msaltest.KindTokenClient); n != 2 {
		t.Errorf("%d tokens were issued", n)
	}
}

// TestSomebodyHasToSignIn: the SDK returns the error, and doesn't try again.
func TestSomebodyHasToSignIn(t *testing.T) {
	t.Parallel()
	srv, v := newServer(t), newVault(t)
	client, account := signedIn(t, srv)
	srv.Fail(msaltest.KindTokenRefresh, msaltest.Failure{Status: 400, Code: "interaction_required", Claims: `{"x":1}`})
	get := v.get(t, azcredential.New(client, &azcredential.Options{Account: account}))
	if status, err := get(); err != nil || status != http.StatusOK {
		t.Fatal(status, err)
	}
	v.revoked.Store(true)
	_, err := get()
	refused, ok := errors.AsType[*msal.Error](err)
	if !errors.Is(err, msal.ErrInteractionRequired) || !ok || refused.Claims != `{"x":1}` {
		t.Errorf("%v", err)
	}
	if err := client.Remove(t.Context(), *account); err != nil {
		t.Fatal(err)
	}
	if _, err := v.get(t, azcredential.New(client, &azcredential.Options{Account: account}))(); !errors.Is(err, msal.ErrNoToken) {
		t.Errorf("signed out: %v", err)
	}
}
