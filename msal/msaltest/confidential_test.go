package msaltest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/msal/msaltest"
)

const redirectURI = "https://app.example/authorized"

func newConfidential(t *testing.T, srv *msaltest.Server, secret string) confidential.Client {
	t.Helper()
	credential, err := confidential.NewCredFromSecret(secret)
	if err != nil {
		t.Fatal(err)
	}
	client, err := confidential.New(srv.Authority(), clientID, credential,
		confidential.WithHTTPClient(srv.Client()), confidential.WithInstanceDiscovery(false))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestClientCredentials(t *testing.T) {
	t.Parallel()
	srv := start(t, &msaltest.Options{ClientSecret: "the secret"})
	app := []string{"https://graph.microsoft.com/.default"}
	client := newConfidential(t, srv, "the secret")
	for range 2 {
		if _, err := client.AcquireTokenByCredential(deadline(t), app); err != nil {
			t.Fatal(err)
		}
	}
	wantCounts(t, srv, map[msaltest.Kind]int{msaltest.KindToken: 1, msaltest.KindTokenClient: 1})
	_, err := newConfidential(t, srv, "a guess").AcquireTokenByCredential(deadline(t), app)
	wantRefusal(t, err, "401", "invalid_client", "AADSTS7000215")
}

func TestAuthorizationCode(t *testing.T) {
	t.Parallel()
	const verifier = "a-verifier-of-at-least-forty-three-characters"
	sum := sha256.Sum256([]byte(verifier))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	tests := []struct {
		name, redirect, verifier string
		want                     string
	}{
		{"redeemed", redirectURI, verifier, ""},
		{"wrong verifier", redirectURI, "guess", "AADSTS501481"},
		{"no verifier", redirectURI, "", "AADSTS501481"},
		{"other redirect URI", "https://evil.example/", verifier, "AADSTS500112"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := start(t, nil)
			client := newConfidential(t, srv, "secret")
			authURL, err := client.AuthCodeURL(deadline(t), clientID, redirectURI, scopes)
			if err != nil {
				t.Fatal(err)
			}
			params, err := srv.Authorize(authURL+"&state=xyz&code_challenge_method=S256&code_challenge="+challenge, alice)
			if err != nil || params.Get("state") != "xyz" {
				t.Fatalf("got %v, %v, want state xyz", params, err)
			}
			redeem := func() error {
				result, err := client.AcquireTokenByAuthCode(deadline(t), params.Get("code"), tt.redirect, scopes,
					confidential.WithChallenge(tt.verifier))
				if err == nil && result.Account.PreferredUsername != alice {
					t.Errorf("signed in as %q", result.Account.PreferredUsername)
				}
				return err
			}
			if tt.want != "" {
				wantRefusal(t, redeem(), "invalid_grant", tt.want)
				return
			}
			if err := redeem(); err != nil {
				t.Fatal(err)
			}
			wantRefusal(t, redeem(), "invalid_grant", "AADSTS54005")
		})
	}
}

func TestInteractive(t *testing.T) {
	t.Parallel()
	srv := start(t, nil)
	browser := func(authURL string) error {
		params, err := srv.Authorize(authURL, alice)
		if err != nil {
			return err
		}
		u, err := url.Parse(authURL)
		if err != nil {
			return err
		}
		resp, err := http.PostForm(u.Query().Get("redirect_uri"), params)
		if err != nil {
			return err
		}
		return resp.Body.Close()
	}
	result, err := newPublic(t, srv).AcquireTokenInteractive(deadline(t), scopes, public.WithOpenURL(browser))
	if err != nil || result.Account.PreferredUsername != alice {
		t.Errorf("signed in as %q, %v", result.Account.PreferredUsername, err)
	}
}

func TestAuthorizeRefuses(t *testing.T) {
	t.Parallel()
	srv := start(t, nil)
	good := srv.Authority() + "/oauth2/v2.0/authorize?client_id=c&redirect_uri=https://app.example&scope=openid&response_type=code"
	tests := []struct{ name, url, username string }{
		{"not a URL", ":", alice},
		{"another page", srv.Authority() + "/oauth2/v2.0/token", alice},
		{"no redirect URI", strings.Replace(good, "redirect_uri", "x", 1), alice},
		{"no client", strings.Replace(good, "client_id", "x", 1), alice},
		{"implicit", strings.Replace(good, "=code", "=token", 1), alice},
		{"no such user", good, "nobody"},
	}
	for _, tt := range tests {
		if got, err := srv.Authorize(tt.url, tt.username); err == nil {
			t.Errorf("%s: got %v, want an error", tt.name, got)
		}
	}
	if got, err := srv.Authorize(good, ""); err != nil || got.Get("error") != "access_denied" || got.Has("code") {
		t.Errorf("a person who gave up: got %v, %v", got, err)
	}
}

func TestOnBehalfOf(t *testing.T) {
	t.Parallel()
	srv := start(t, nil)
	user := signIn(t, srv, newPublic(t, srv), alice)
	api := newConfidential(t, srv, "secret")
	result, err := api.AcquireTokenOnBehalfOf(deadline(t), user.AccessToken, scopes)
	if err != nil || result.Account.PreferredUsername != alice {
		t.Errorf("got a token of %q, %v", result.Account.PreferredUsername, err)
	}
	_, err = api.AcquireTokenOnBehalfOf(deadline(t), "not.a.token", scopes)
	wantRefusal(t, err, "invalid_grant", "AADSTS50013")
}
