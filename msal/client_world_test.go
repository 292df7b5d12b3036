package msal_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

const clientRedirect = "https://app.example/authorized"

// options leads a client to the fake, with a cache or without.
func (w *world) options(c *persist.PersistedTokenCache) *msal.Options {
	return &msal.Options{
		Authority: w.srv.Authority(), Cache: c, HTTPClient: w.srv.Client(), DisableInstanceDiscovery: true,
		Retry: &msal.RetryOptions{Attempts: -1},
	}
}

func (w *world) public(o *msal.Options) *msal.Public {
	w.Helper()
	p, err := msal.NewPublic("client", o)
	if err != nil {
		w.Fatal(err)
	}
	return p
}

func (w *world) web(o *msal.Options) *msal.Confidential {
	w.Helper()
	secret, err := msal.Secret("secret")
	if err != nil {
		w.Fatal(err)
	}
	c, err := msal.NewConfidential("web", secret, o)
	if err != nil {
		w.Fatal(err)
	}
	return c
}

// signedInPublic is a client with alice in its cache.
func (w *world) signedInPublic(o *msal.Options) (*msal.Public, *msal.SilentOptions) {
	w.Helper()
	p := w.public(o)
	r := w.signIn(p.MSAL(), alice)
	return p, &msal.SilentOptions{Account: &r.Account}
}

// signedInWeb is the same of the other kind.
func (w *world) signedInWeb(o *msal.Options) (*msal.Confidential, *msal.SilentOptions) {
	w.Helper()
	c := w.web(o)
	r := w.byCodeFlow(c)
	return c, &msal.SilentOptions{Account: &r.Account}
}

// codeFlows is what both kinds of client have.
type codeFlows interface {
	BeginAuthCode(context.Context, msal.AuthCodeOptions) (msal.AuthCodeFlow, error)
	CompleteAuthCode(context.Context, msal.AuthCodeFlow, url.Values, []string) (msal.Result, error)
	AuthCodeURL(context.Context, msal.AuthCodeOptions, string) (string, error)
	RedeemCode(context.Context, msal.CodeRequest, string) (msal.Result, error)
}

func (w *world) byCodeFlow(c codeFlows) msal.Result {
	w.Helper()
	flow, err := c.BeginAuthCode(w.Context(), msal.AuthCodeOptions{RedirectURI: clientRedirect, Scopes: scopes})
	if err != nil {
		w.Fatal(err)
	}
	answer, err := w.srv.Authorize(flow.AuthURI, alice)
	if err != nil {
		w.Fatal(err)
	}
	r, err := c.CompleteAuthCode(w.Context(), flow, answer, nil)
	if err != nil {
		w.Fatal(err)
	}
	return r
}

// silently expects a token.
func silently(t *testing.T, c silent, o *msal.SilentOptions) msal.Result {
	t.Helper()
	r, err := c.Silent(t.Context(), scopes, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

type silent interface {
	Silent(context.Context, []string, *msal.SilentOptions) (msal.Result, error)
}

// last is the last request of a kind.
func (w *world) last(kind msaltest.Kind) msaltest.Request {
	w.Helper()
	all := w.srv.Requests(kind)
	if len(all) == 0 {
		w.Fatalf("no request of kind %s", kind)
	}
	return all[len(all)-1]
}

// both runs a test for either kind of client.
func both(t *testing.T, test func(*testing.T, *world, silent, *msal.SilentOptions)) {
	t.Helper()
	t.Run("public", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, nil)
		cache, _ := w.cache(nil)
		p, o := w.signedInPublic(w.options(cache))
		test(t, w, p, o)
	})
	t.Run("confidential", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, nil)
		cache, _ := w.cache(nil)
		c, o := w.signedInWeb(w.options(cache))
		test(t, w, c, o)
	})
}

// network is a Doer made of a function.
type network func(*http.Request) (*http.Response, error)

func (n network) Do(req *http.Request) (*http.Response, error) { return n(req) }
func (network) CloseIdleConnections()                          {}

// answering answers token requests with a body, and passes on the rest.
func answering(base msal.Doer, status int, body io.Reader) network {
	return func(req *http.Request) (*http.Response, error) {
		if req.Method != http.MethodPost {
			return base.Do(req)
		}
		return &http.Response{StatusCode: status, Body: io.NopCloser(body), Header: http.Header{}, Request: req}, nil
	}
}

func accountNames(list []public.Account) string {
	var all []string
	for _, a := range list {
		all = append(all, a.PreferredUsername)
	}
	return strings.Join(all, " ")
}
