package oidc_test

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
	"github.com/msalext/msalext/msal/oidc"
)

const alice, bob = "alice@contoso.example", "bob@contoso.example"

// world is a provider with real connections, a client of its and a verifier.
type world struct {
	*testing.T
	srv      *msaltest.Server
	network  msal.Doer // the clients'
	verifier *oidc.Verifier
}

func newWorld(t *testing.T) *world {
	t.Helper()
	srv := msaltest.New(nil)
	t.Cleanup(srv.Close)
	v, err := oidc.New(oidc.Options{Authority: srv.Authority(), ClientID: "app", HTTPClient: srv.Client()})
	if err != nil {
		t.Fatal(err)
	}
	return &world{t, srv, srv.Client(), v}
}

// client is what both kinds of client have.
type client interface {
	BeginAuthCode(context.Context, msal.AuthCodeOptions) (msal.AuthCodeFlow, error)
	CompleteAuthCode(context.Context, msal.AuthCodeFlow, url.Values, []string) (msal.Result, error)
	CompleteAuthCodeVerified(context.Context, msal.AuthCodeFlow, msal.IDTokenVerifier, url.Values, []string) (msal.Result, error)
}

func (w *world) options() *msal.Options {
	return &msal.Options{Authority: w.srv.Authority(), HTTPClient: w.network, DisableInstanceDiscovery: true}
}

func (w *world) public() *msal.Public {
	w.Helper()
	p, err := msal.NewPublic("app", w.options())
	if err != nil {
		w.Fatal(err)
	}
	return p
}

func (w *world) clients() map[string]client {
	w.Helper()
	secret, err := msal.Secret("secret")
	if err != nil {
		w.Fatal(err)
	}
	c, err := msal.NewConfidential("app", secret, w.options())
	if err != nil {
		w.Fatal(err)
	}
	return map[string]client{"public": w.public(), "confidential": c}
}

// begin begins a flow, and hands it to another process.
func (w *world) begin(c client, kind string, maxAge *int) msal.AuthCodeFlow {
	w.Helper()
	flow, err := c.BeginAuthCode(w.Context(), msal.AuthCodeOptions{
		RedirectURI: "https://app.example/authorized", Scopes: []string{"User.Read"}, ResponseType: kind, ResponseMode: "form_post", MaxAge: maxAge,
	})
	if err != nil {
		w.Fatal(err)
	}
	text, err := json.Marshal(flow)
	if err != nil {
		w.Fatal(err)
	}
	var later msal.AuthCodeFlow
	if err := json.Unmarshal(text, &later); err != nil || !cmp.Equal(flow, later) {
		w.Fatal(err, cmp.Diff(flow, later))
	}
	return later
}

func (w *world) follow(flow msal.AuthCodeFlow, who string) url.Values {
	w.Helper()
	answer, err := w.srv.Authorize(flow.AuthURI, who)
	if err != nil {
		w.Fatal(err)
	}
	return answer
}

// signed is the answer's ID token with other claims, signed by the provider.
func (w *world) signed(answer url.Values, change map[string]any) string {
	w.Helper()
	payload, err := msal.DecodePart(strings.Split(answer.Get("id_token"), ".")[1])
	if err != nil {
		w.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(payload, &all); err != nil {
		w.Fatal(err)
	}
	for name, value := range change {
		all[name] = value
		if value == nil {
			delete(all, name)
		}
	}
	text, err := w.srv.Sign(all)
	if err != nil {
		w.Fatal(err)
	}
	return text
}
