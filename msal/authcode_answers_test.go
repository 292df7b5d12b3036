package msal_test

import (
	"errors"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

func TestAuthCodeAnswersRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		flow   func(*msal.AuthCodeFlow)
		answer func(url.Values)
		scopes []string
		want   error
	}{
		{"C9 of a stranger", nil, func(a url.Values) { a.Set("state", "theirs") }, nil, msal.ErrState},
		{"C9 without a state", nil, func(a url.Values) { a.Del("state") }, nil, msal.ErrState},
		{"C9 two states", nil, func(a url.Values) { a.Add("state", "x") }, nil, msal.ErrAnswer},
		{"C9 two codes", nil, func(a url.Values) { a.Add("code", "x") }, nil, msal.ErrAnswer},
		{"C9 nothing", nil, func(a url.Values) { a.Del("code") }, nil, msal.ErrAnswer},
		{"C9 tokens without a code", nil, func(a url.Values) { a.Del("code"); a.Set("access_token", "x") }, nil, msal.ErrAnswer},
		{"C9 no flow", func(f *msal.AuthCodeFlow) { *f = msal.AuthCodeFlow{} }, func(a url.Values) { a.Del("state") }, nil, msal.ErrFlow},
		{"C9 a flow without PKCE", func(f *msal.AuthCodeFlow) { f.CodeVerifier = "" }, nil, nil, msal.ErrFlow},
		{"C9 a flow without a nonce", func(f *msal.AuthCodeFlow) { f.Nonce = "" }, nil, nil, msal.ErrFlow},
		{"C9 more scopes", nil, nil, []string{"User.Read", "Mail.Send"}, msal.ErrFlow},
		{"C9 an empty scope", nil, nil, []string{""}, msal.ErrFlow},
		{"C10 refused", nil, func(a url.Values) { a.Set("error", "access_denied") }, nil, msal.ErrAccessDenied},
		{"C10 refused, in another's name", nil, func(a url.Values) { a.Set("error", "access_denied"); a.Set("state", "theirs") }, nil, msal.ErrState},
		{"C10 silent sign-in failed", nil, func(a url.Values) { a.Set("error", "login_required"); a.Del("code") }, nil, msal.ErrInteractionRequired},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			client := w.codeClients(nil)["public"]
			flow := w.begin(client, msal.AuthCodeOptions{})
			answer := w.follow(flow, alice)
			if c.flow != nil {
				c.flow(&flow)
			}
			if c.answer != nil {
				c.answer(answer)
			}
			_, err := flow.Complete(t.Context(), client, answer, c.scopes)
			if !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if n := w.srv.Count(msaltest.KindTokenCode); n != 0 {
				t.Errorf("%d codes were redeemed", n)
			}
		})
	}
}

// TestAuthCodeRefusalHoldsNothingElse: who makes a person follow a link decides
// what is in it.
func TestAuthCodeRefusalHoldsNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	client := w.codeClients(nil)["public"]
	flow := w.begin(client, msal.AuthCodeOptions{})
	_, err := flow.Complete(t.Context(), client, url.Values{
		"state": {flow.State}, "error": {"access_denied"}, "error_description": {"AADSTS65004: no\nforged line"},
		"access_token": {"not-ours"}, "correlation_id": {"not-ours"}, "claims": {`"not-ours"`},
	}, nil)
	want := &msal.Error{Code: "access_denied", Description: "AADSTS65004: no\nforged line", Codes: []int{65004}}
	if diff := cmp.Diff(want, msal.FromMSAL(err)); diff != "" || strings.Contains(err.Error(), "\n") {
		t.Error(err, diff)
	}
}

// TestAuthCodeRefusedByServer has the server say no where it has to.
func TestAuthCodeRefusedByServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for name, client := range w.codeClients(nil) {
		t.Run("C6 "+name, func(t *testing.T) {
			t.Parallel()
			flow := w.begin(client, msal.AuthCodeOptions{})
			answer := w.follow(flow, alice)
			other := flow
			other.CodeVerifier = w.begin(client, msal.AuthCodeOptions{}).CodeVerifier
			if _, err := other.Complete(t.Context(), client, answer, nil); !errors.Is(err, msal.ErrInvalidGrant) || !strings.Contains(err.Error(), "AADSTS501481") {
				t.Errorf("with another verifier: %v", err)
			}
			if _, err := flow.Complete(t.Context(), client, answer, nil); err != nil {
				t.Fatal(err)
			}
			_, err := flow.Complete(t.Context(), client, answer, nil)
			if !errors.Is(err, msal.ErrInvalidGrant) || !strings.Contains(err.Error(), "AADSTS54005") {
				t.Errorf("twice: %v", err)
			}
			wantNoSecrets(t, err, answer.Get("code"), flow.CodeVerifier)
		})
	}
}

// TestAuthCodeForOneOfSeveralAPIs has a person consent to two and redeems the
// code for one.
func TestAuthCodeForOneOfSeveralAPIs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		asked, wanted []string
		sent          string
	}{
		"a subset":        {[]string{"api://a/Read", "api://b/Read"}, []string{"api://b/Read"}, "api://b/Read openid offline_access profile"},
		"all":             {[]string{"api://a/Read", "api://b/Read"}, nil, "api://a/Read api://b/Read openid offline_access profile"},
		"none but OpenID": {[]string{}, nil, "openid offline_access profile"},
		"OpenID's too":    {[]string{"a", "openid"}, []string{"openid", "a"}, "a openid offline_access profile"},
	} {
		t.Run("C9 "+name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			client := w.codeClients(nil)["public"]
			flow := w.begin(client, msal.AuthCodeOptions{Scopes: c.asked, Claims: `{"x":null}`})
			if _, err := flow.Complete(t.Context(), client, w.follow(flow, alice), c.wanted); err != nil {
				t.Fatal(err)
			}
			form := w.srv.Requests(msaltest.KindTokenCode)[0].Form
			if got := form.Get("scope"); got != c.sent || form.Get("claims") != `{"x":null}` || form.Get("code_verifier") != flow.CodeVerifier {
				t.Errorf("sent %q, claims %q", got, form.Get("claims"))
			}
		})
	}
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)

// TestAuthCodeByForm goes to the page as a browser does, and comes back with a
// form or a query.
func TestAuthCodeByForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	browser := *w.srv.Client()
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, mode := range []string{"form_post", "query", ""} {
		t.Run("C4 response_mode "+mode, func(t *testing.T) {
			client := w.codeClients(nil)["confidential"]
			flow := w.begin(client, msal.AuthCodeOptions{ResponseMode: mode, LoginHint: alice, State: `"<&>`})
			answer := broughtBack(t, &browser, flow.AuthURI)
			if result, err := flow.Complete(t.Context(), client, answer, nil); err != nil || result.Account.PreferredUsername != alice {
				t.Errorf("%v, %v", result.Account, err)
			}
		})
	}
}

// broughtBack is what a browser brings to the redirect URI, in a form, a query
// or a fragment.
func broughtBack(t *testing.T, browser *http.Client, uri string) url.Values {
	t.Helper()
	resp, err := browser.Get(uri)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if location, err := resp.Location(); err == nil {
		answer, err := url.ParseQuery(location.Fragment + location.RawQuery)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	answer := url.Values{}
	for _, input := range hidden.FindAllStringSubmatch(string(page), -1) {
		answer.Set(input[1], html.UnescapeString(input[2]))
	}
	return answer
}
