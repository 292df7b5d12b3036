//go:build oidcprovider

package msal_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/oidc"
)

func TestOIDCProvider(t *testing.T) {
	p := startProvider(t)
	for name, test := range map[string]func(*provider){
		"authorization code, refresh, sign-out": (*provider).codeFlow,
		"wrong PKCE verifier":                   (*provider).wrongVerifier,
		"device code":                           (*provider).deviceFlow,
		"interactive, by form_post":             (*provider).interactive,
		"client secret":                         (*provider).clientSecret,
		"client certificate":                    (*provider).clientCertificate,
		"a code twice":                          (*provider).codeTwice,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(&provider{t, p.authority, p.roots, p.key, p.keyPEM})
		})
	}
}

func (p *provider) web() *msal.Confidential {
	p.Helper()
	credential, err := msal.Secret(providerSecret)
	if err != nil {
		p.Fatal(err)
	}
	client, err := msal.NewConfidential("web", credential, p.options())
	if err != nil {
		p.Fatal(err)
	}
	return client
}

// begun is a flow of the web application, and what the browser brought back.
func (p *provider) begun(client *msal.Confidential, name string) (msal.AuthCodeFlow, url.Values) {
	p.Helper()
	flow, err := client.BeginAuthCode(p.Context(), msal.AuthCodeOptions{
		RedirectURI: "https://app.example/authorized", Scopes: scopes, Prompt: msal.PromptConsent, LoginHint: name,
	})
	if err != nil {
		p.Fatal(err)
	}
	back, page := p.signInAs(name).visit(flow.AuthURI)
	if back.Host != "app.example" {
		p.Fatalf("the browser is at %s: %s", back, page)
	}
	return flow, back.Query()
}

func (p *provider) codeFlow() {
	ctx := p.Context()
	client := p.web()
	flow, answer := p.begun(client, "carol")
	result, err := client.CompleteAuthCode(ctx, flow, answer, nil)
	if err != nil {
		p.Fatal(err)
	}
	if result.Account.PreferredUsername != "carol@contoso.example" || result.AccessToken == "" || result.RefreshToken == "" {
		p.Errorf("signed in: %+v, %v", result.Account, result)
	}
	p.verified(result.IDToken.RawToken)
	cached, err := client.Silent(ctx, scopes, &msal.SilentOptions{Account: &result.Account})
	if err != nil || !cached.FromCache() {
		p.Errorf("silent: %v, %v", cached, err)
	}
	for range 2 { // each refresh token is good for once
		fresh, err := client.Silent(ctx, scopes, &msal.SilentOptions{Account: &result.Account, ForceRefresh: true})
		if err != nil || fresh.FromCache() || fresh.AccessToken == result.AccessToken {
			p.Errorf("refreshed: %v, %v", fresh, err)
		}
	}
	if err := client.Remove(ctx, result.Account); err != nil {
		p.Error(err)
	}
	if _, err := client.Silent(ctx, scopes, &msal.SilentOptions{Account: &result.Account}); !errors.Is(err, msal.ErrNoToken) {
		p.Errorf("after the sign-out: %v", err)
	}
}

// verified checks an ID token with the keys that the provider publishes, and
// that another's is refused.
func (p *provider) verified(raw string) {
	p.Helper()
	verifier, err := oidc.New(oidc.Options{Authority: p.authority, ClientID: "web", HTTPClient: p.browser(nil).client})
	if err != nil {
		p.Fatal(err)
	}
	token, err := verifier.VerifyIDToken(p.Context(), raw, nil)
	if err != nil || token.Text("sub") != "carol" {
		p.Errorf("verifying the ID token: %v", err)
	}
	part := strings.Split(raw, ".")
	forged := part[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(p.decoded(part[1])), "carol", "mallo", 1))) + "." + part[2]
	if _, err := verifier.VerifyIDToken(p.Context(), forged, nil); !errors.Is(err, msal.ErrIDTokenSignature) {
		p.Errorf("a forged ID token: %v", err)
	}
}

func (p *provider) decoded(part string) []byte {
	p.Helper()
	data, err := msal.DecodePart(part)
	if err != nil {
		p.Fatal(err)
	}
	return data
}

func (p *provider) wrongVerifier() {
	client := p.web()
	flow, answer := p.begun(client, "dave")
	sum := sha256.Sum256([]byte("another"))
	flow.CodeVerifier = base64.RawURLEncoding.EncodeToString(sum[:])
	if _, err := client.CompleteAuthCode(p.Context(), flow, answer, nil); !errors.Is(err, msal.ErrInvalidGrant) {
		p.Errorf("got %v", err)
	}
}

func (p *provider) codeTwice() {
	client := p.web()
	flow, answer := p.begun(client, "erin")
	if _, err := client.CompleteAuthCode(p.Context(), flow, answer, nil); err != nil {
		p.Fatal(err)
	}
	if _, err := client.CompleteAuthCode(p.Context(), flow, answer, nil); !errors.Is(err, msal.ErrInvalidGrant) {
		p.Errorf("got %v", err)
	}
}

func (p *provider) deviceFlow() {
	ctx := p.Context()
	client, err := msal.NewPublic("native", p.options())
	if err != nil {
		p.Fatal(err)
	}
	flow, err := client.BeginDevice(ctx, scopes, "")
	if err != nil {
		p.Fatal(err)
	}
	polls := 0
	result, err := client.CompleteDevice(ctx, flow, func(msal.DeviceFlow) error {
		if polls++; polls == 1 { // nobody has approved yet, and the provider says so
			b := p.signInAs("frank")
			b.answers["user_code"] = flow.UserCode
			if _, page := b.visit(flow.VerificationURI); !strings.Contains(page, "Success") {
				return fmt.Errorf("the page says: %s", page)
			}
		}
		return nil
	})
	if err != nil || result.Account.PreferredUsername != "frank@contoso.example" || polls == 0 {
		p.Fatalf("signed in: %+v after %d polls, %v", result.Account, polls, err)
	}
	fresh, err := client.Silent(ctx, scopes, &msal.SilentOptions{Account: &result.Account, ForceRefresh: true})
	if err != nil || fresh.AccessToken == result.AccessToken {
		p.Errorf("refreshed: %v, %v", fresh, err)
	}
}

func (p *provider) interactive() {
	client, err := msal.NewPublic("native", p.options())
	if err != nil {
		p.Fatal(err)
	}
	result, err := client.Interactive(p.Context(), scopes, &msal.InteractiveOptions{
		Prompt: msal.PromptConsent, Timeout: time.Minute,
		OpenURL: func(address string) error {
			_, page, err := p.signInAs("grace").try(address)
			if err == nil && !strings.Contains(page, "signed in") {
				err = errors.New(page)
			}
			return err
		},
	})
	if err != nil || result.Account.PreferredUsername != "grace@contoso.example" {
		p.Errorf("signed in: %+v, %v", result.Account, err)
	}
}

func (p *provider) clientSecret() {
	app := []string{"api/.default"}
	first, err := p.web().ForClient(p.Context(), app, nil)
	if err != nil || first.AccessToken == "" {
		p.Errorf("%v, %v", first, err)
	}
	wrong, err := msal.Secret("another secret of more than thirty-two characters")
	if err != nil {
		p.Fatal(err)
	}
	client, err := msal.NewConfidential("web", wrong, p.options())
	if err != nil {
		p.Fatal(err)
	}
	if _, err := client.ForClient(p.Context(), app, nil); !errors.Is(err, msal.ErrInvalidClient) {
		p.Errorf("a wrong secret: %v", err)
	}
}

func (p *provider) clientCertificate() {
	app := []string{"api/.default"}
	_, others := p.credential()
	for name, c := range map[string]struct {
		text []byte
		want error
	}{"registered": {p.keyPEM, nil}, "another's": {others, msal.ErrInvalidClient}} {
		credential, err := msal.CertificatePEM(c.text, nil)
		if err != nil {
			p.Fatal(err)
		}
		client, err := msal.NewConfidential("certified", credential, p.options())
		if err != nil {
			p.Fatal(err)
		}
		if _, err := client.ForClient(p.Context(), app, nil); !errors.Is(err, c.want) {
			p.Errorf("%s: %v", name, err)
		}
	}
}
