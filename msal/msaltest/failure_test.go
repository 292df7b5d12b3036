package msaltest_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/msal/msaltest"
)

func TestScriptedAnswers(t *testing.T) {
	t.Parallel()
	srv := start(t, nil)
	busy := msaltest.Failure{Status: 503, Code: "busy", Header: http.Header{"X-Ms-Request-Id": {"42"}}}
	srv.Fail(msaltest.KindTokenPassword, slices.Repeat([]msaltest.Failure{busy}, 2)...)
	srv.Fail(msaltest.KindTokenPassword,
		msaltest.Failure{Status: 200, Body: []byte("<html>")},
		msaltest.Failure{Status: 200, Header: http.Header{"Content-Type": {"text/plain"}}, Body: []byte{}},
		msaltest.Failure{HangUp: true},
	)
	fields := map[string]string{"grant_type": "password", "client_id": "c", "username": alice, "password": srv.Password(alice), "scope": "openid"}
	for range 2 {
		if status, answer := postToken(t, srv, fields); status != 503 || answer["error"] != "busy" {
			t.Errorf("%d %v", status, answer)
		}
	}
	for _, want := range []string{"<html>", ""} {
		resp, body := postRaw(t, srv, fields)
		if resp.StatusCode != 200 || body != want {
			t.Errorf("%s %q, want %q", resp.Status, body, want)
		}
	}
	if _, err := srv.Client().PostForm(srv.Authority()+"/oauth2/v2.0/token", formOf(fields)); err == nil {
		t.Error("it answered")
	}
	if status, answer := postToken(t, srv, fields); status != 200 {
		t.Errorf("when all is served: %d %v", status, answer)
	}
}

func TestRegionalHost(t *testing.T) {
	t.Parallel()
	srv := start(t, nil)
	credential, err := confidential.NewCredFromSecret("s")
	if err != nil {
		t.Fatal(err)
	}
	client, err := confidential.New("https://login.microsoftonline.com/contoso.example", clientID, credential,
		confidential.WithHTTPClient(srv.CloudClient()), confidential.WithAzureRegion("eastus"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.AcquireTokenByCredential(deadline(t), appScope); err != nil {
		t.Fatal(err)
	}
	if got := srv.Requests(msaltest.KindTokenClient)[0].Host; got != "eastus.login.microsoft.com" {
		t.Errorf("the token was asked of %s", got)
	}
}

func TestNationalClouds(t *testing.T) {
	t.Parallel()
	srv := start(t, nil)
	for _, host := range []string{"login.microsoftonline.us", "login.chinacloudapi.cn", "login.windows.net"} {
		client := newPublic(t, srv, public.WithAuthority("https://"+host+"/contoso.example"),
			public.WithHTTPClient(srv.CloudClient()), public.WithInstanceDiscovery(true))
		result := signIn(t, srv, client, alice)
		if _, err := silently(t, client, result.Account); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
}
