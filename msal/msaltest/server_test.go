package msaltest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/msal/msaltest"
)

func TestManyClientsAtOnce(t *testing.T) {
	t.Parallel()
	opts := shortLived()
	opts.SingleUseRefreshTokens = true
	srv := start(t, opts)
	clients := []public.Client{newPublic(t, srv), newPublic(t, srv)}
	const users = 40
	var group sync.WaitGroup
	for i := range users {
		for _, client := range clients {
			group.Go(func() {
				username := fmt.Sprintf("user%d@contoso.example", i)
				result, err := byPassword(t.Context(), client, username, srv.Password(username))
				if err != nil {
					t.Error(err)
					return
				}
				if got := result.Account.HomeAccountID; got != msaltest.HomeAccountID(username) {
					t.Errorf("%s has home account id %s", username, got)
				}
				if _, err := client.AcquireTokenSilent(t.Context(), scopes, public.WithSilentAccount(result.Account)); err != nil {
					t.Error(err)
				}
			})
		}
	}
	group.Wait()
	wantCounts(t, srv, map[msaltest.Kind]int{
		msaltest.KindTokenPassword: 2 * users, msaltest.KindTokenRefresh: 2 * users, msaltest.KindToken: 4 * users,
	})
}

func TestMarkerIsInEverySecret(t *testing.T) {
	t.Parallel()
	const marker = "MARK_er-4711"
	opts := shortLived()
	opts.Marker, opts.Approver = marker, alice
	srv := start(t, opts)
	if !strings.Contains(srv.Password(alice), marker) {
		t.Errorf("the password is %q", srv.Password(alice))
	}
	authURL := srv.Authority() + "/oauth2/v2.0/authorize?client_id=" + clientID +
		"&redirect_uri=" + redirectURI + "&scope=openid&response_type=code"
	params, err := srv.Authorize(authURL, alice)
	if err != nil || !strings.Contains(params.Get("code"), marker) {
		t.Errorf("the authorization code is %q, %v", params.Get("code"), err)
	}
	_, device := post(t, srv.Client(), srv.Authority()+"/oauth2/v2.0/devicecode", "client_id="+clientID+"&scope=openid+offline_access")
	_, token := postToken(t, srv, map[string]string{
		"grant_type": "device_code", "client_id": clientID, "device_code": fmt.Sprint(device["device_code"]),
	})
	for name, secret := range map[string]any{
		"device code": device["device_code"], "access token": token["access_token"],
		"refresh token": token["refresh_token"], "ID token": token["id_token"],
	} {
		if text, _ := secret.(string); !strings.Contains(text, marker) {
			t.Errorf("%s is %q, want %s in it", name, secret, marker)
		}
	}
	if text := fmt.Sprint(device["user_code"], device["message"]); strings.Contains(text, marker) {
		t.Errorf("what people see holds the marker: %q", text)
	}
}

func TestMalformedTokenRequests(t *testing.T) {
	t.Parallel()
	srv := start(t, nil)
	endpoint := srv.Authority() + "/oauth2/v2.0/token"
	tests := []struct{ name, body, want string }{
		{"empty", "", "invalid_request"},
		{"no client", "grant_type=password", "invalid_request"},
		{"bad escape", "grant_type=%zz", "invalid_request"},
		{"too large", "x=" + strings.Repeat("y", 2<<20), "invalid_request"},
		{"unknown grant", "grant_type=magic&client_id=c", "unsupported_grant_type"},
		{"unknown device code", "grant_type=device_code&client_id=c&device_code=d", "bad_verification_code"},
		{"unknown refresh token", "grant_type=refresh_token&client_id=c&refresh_token=r", "invalid_grant"},
		{"unknown code", "grant_type=authorization_code&client_id=c&code=c", "invalid_grant"},
		{"unproven client", "grant_type=client_credentials&client_id=c", "invalid_client"},
	}
	for _, tt := range tests {
		status, answer := post(t, srv.Client(), endpoint, tt.body)
		if status < 400 || status >= 500 || answer["error"] != tt.want {
			t.Errorf("%s: %d %v, want a 4xx with %s", tt.name, status, answer["error"], tt.want)
		}
	}
	if n := srv.Count(msaltest.KindTokenOther); n == 0 {
		t.Error("the unknown grant wasn't counted")
	}
}

func TestFail(t *testing.T) {
	t.Parallel()
	srv := start(t, shortLived())
	client := newPublic(t, srv)
	account := signIn(t, srv, client, alice).Account
	srv.Fail(msaltest.KindToken, msaltest.Failure{Status: http.StatusServiceUnavailable, Description: "busy", RetryAfter: time.Second})
	srv.Fail(msaltest.KindTokenRefresh, msaltest.Failure{
		Code: "interaction_required", SubError: "consent_required", Codes: []int{65001}, Claims: `{"access_token":{}}`,
	})
	_, err := silently(t, client, account)
	wantRefusal(t, err, "interaction_required", "consent_required", "AADSTS65001", "claims")
	_, err = silently(t, client, account)
	wantRefusal(t, err, "503", "busy")
	if _, err := silently(t, client, account); err != nil {
		t.Errorf("when all failures are served: %v", err)
	}
	if r := srv.Requests(msaltest.KindTokenRefresh); len(r) != 3 || r[0].Status != 400 || r[1].Status != 503 || r[2].Status != 200 {
		t.Errorf("requests were %+v", r)
	}
}

func TestCloseReleasesSlowRequests(t *testing.T) {
	t.Parallel()
	srv := start(t, &msaltest.Options{Latency: time.Hour})
	done := make(chan error, 1)
	go func() {
		resp, err := srv.Client().Get(srv.Authority() + "/v2.0/.well-known/openid-configuration")
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		done <- err
	}()
	if err := srv.Await(deadline(t), msaltest.KindDiscovery, 1); err != nil {
		t.Fatal(err)
	}
	srv.Close()
	srv.Close()
	select {
	case <-done:
	case <-deadline(t).Done():
		t.Fatal("the request still hangs")
	}
	if err := srv.Await(t.Context(), msaltest.KindToken, 1); !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("Await on a closed server: %v", err)
	}
}

func TestAwaitEndsWithContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := start(t, nil).Await(ctx, msaltest.KindToken, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestLatency(t *testing.T) {
	t.Parallel()
	const latency = 20 * time.Millisecond
	srv := start(t, &msaltest.Options{Latency: latency})
	began := time.Now()
	signIn(t, srv, newPublic(t, srv), alice)
	if took := time.Since(began); took < 3*latency {
		t.Errorf("discovery, user realm and token took %v together", took)
	}
}

func TestCloudHostNames(t *testing.T) {
	t.Parallel()
	srv := start(t, nil)
	client := newPublic(t, srv,
		public.WithAuthority("https://login.microsoftonline.com/common"),
		public.WithHTTPClient(srv.CloudClient()),
		public.WithInstanceDiscovery(true))
	result := signIn(t, srv, client, "bob@fabrikam.example")
	if result.Account.Environment != "login.microsoftonline.com" || result.IDToken.TenantID != msaltest.TenantID("fabrikam.example") {
		t.Errorf("signed in to %+v, tenant %s", result.Account, result.IDToken.TenantID)
	}
	if _, err := silently(t, client, result.Account); err != nil {
		t.Error(err)
	}
	if srv.Count(msaltest.KindInstance) == 0 {
		t.Error("no instance discovery was made")
	}
}

func TestCodesBelongToTheirClient(t *testing.T) {
	t.Parallel()
	srv := start(t, &msaltest.Options{Approver: alice})
	_, device := post(t, srv.Client(), srv.Authority()+"/oauth2/v2.0/devicecode", "client_id=one&scope=openid")
	params, err := srv.Authorize(srv.Authority()+"/oauth2/v2.0/authorize?client_id=one&redirect_uri="+redirectURI+
		"&scope=openid&response_type=code", alice)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, client string
		fields       map[string]string
		accepted     bool
	}{
		{"device code, another client", "two", map[string]string{"grant_type": "device_code", "device_code": fmt.Sprint(device["device_code"])}, false},
		{"device code, its client", "one", map[string]string{"grant_type": "device_code", "device_code": fmt.Sprint(device["device_code"])}, true},
		{"code, another client", "two", map[string]string{"grant_type": "authorization_code", "code": params.Get("code"), "redirect_uri": redirectURI}, false},
		{"code, its client", "one", map[string]string{"grant_type": "authorization_code", "code": params.Get("code"), "redirect_uri": redirectURI}, true},
	}
	for _, tt := range tests {
		tt.fields["client_id"] = tt.client
		status, answer := postToken(t, srv, tt.fields)
		if accepted := status == http.StatusOK; accepted != tt.accepted {
			t.Errorf("%s: %d %v, want accepted %t", tt.name, status, answer["error"], tt.accepted)
		}
	}
}
