package msal_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// api is a process of an API on the world's cache.
func (w *world) api() *msal.Confidential {
	w.Helper()
	c, _ := w.cache(nil)
	return w.web(w.options(c))
}

// callOf is the token that somebody calls the API with.
func (w *world) callOf(who string) string {
	w.Helper()
	return w.signIn(w.publicAlone(), who).AccessToken
}

// assertionUntil is such a token that expires when the test says. The fake's own
// check of it is passed over where that is in the past.
func (w *world) assertionUntil(who string, expires time.Time) string {
	w.Helper()
	jwt, err := w.srv.Sign(map[string]any{"iss": w.srv.URL() + "/x/v2.0", "aud": "web", "upn": who, "exp": expires.Unix()})
	if err != nil {
		w.Fatal(err)
	}
	return jwt
}

func (w *world) behalfOf(api *msal.Confidential, assertion string, o *msal.BehalfOptions) msal.Result {
	w.Helper()
	r, err := api.OnBehalfOf(w.Context(), assertion, scopes, o)
	if err != nil {
		w.Fatal(err)
	}
	return r
}

// redeemed counts the requests on behalf of people, and of those with a refresh
// token.
func (w *world) redeemed() [2]int {
	return [2]int{w.srv.Count(msaltest.KindTokenBehalf), w.srv.Count(msaltest.KindTokenRefresh)}
}

func (w *world) wantRedeemed(byAssertion, byRefreshToken int) {
	w.Helper()
	if got := w.redeemed(); got != [2]int{byAssertion, byRefreshToken} {
		w.Errorf("%d assertions and %d refresh tokens were redeemed, want %d and %d", got[0], got[1], byAssertion, byRefreshToken)
	}
}

// rewrite lets another hand change the cache on disk.
func (w *world) rewrite(change func(string) string) {
	w.Helper()
	w.store([]byte(change(string(w.stored()))))
}

func TestOnBehalfOf(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*world){
		"A27 found by another process":          behalfFound,
		"A27 nobody gets another's":             behalfOfOthers,
		"A27 tenant and scopes count":           behalfOfTenants,
		"A27 refresh token":                     behalfRefreshed,
		"A27 refresh token refused":             behalfRefreshRefused,
		"A27 renewed when the provider says so": behalfRenewed,
		"A27 claims challenge":                  behalfClaims,
		"A27 force refresh":                     behalfForced,
		"A27 refused":                           behalfRefused,
		"A27 one request for calls at once":     behalfAtOnce,
		"A27 who waits may give up":             behalfGivenUp,
		"A27 no account, and not in silent":     behalfApart,
		"A27 signed out":                        behalfSignedOut,
		"A27 signed out during a refresh":       behalfSignedOutMeanwhile,
		"A27 expired assertions go away":        behalfSwept,
		"A27 expired assertion finds nothing":   behalfExpired,
		"A27 assertion that doesn't tell":       behalfOpaque,
		"A27 store that fails":                  behalfStoreFails,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(newWorld(t, &msaltest.Options{RefreshIn: 30 * time.Minute}))
		})
	}
}

func behalfFound(w *world) {
	assertion := w.callOf(bob)
	first := w.behalfOf(w.api(), assertion, nil)
	second := w.behalfOf(w.api(), assertion, nil)
	w.wantRedeemed(1, 0)
	if first.FromCache() || !second.FromCache() || first.AccessToken != second.AccessToken || second.TokenType != "Bearer" {
		w.Errorf("first %v, second %v", first, second)
	}
	if a, b := first.Account, second.Account; a.PreferredUsername != bob || b.PreferredUsername != bob || a.HomeAccountID != b.HomeAccountID ||
		a.LocalAccountID != b.LocalAccountID || a.Realm != b.Realm || a.Environment != b.Environment || a.AuthorityType != b.AuthorityType {
		w.Errorf("accounts differ: %+v and %+v", a, b)
	}
	if first.IDToken.RawToken == "" || first.IDToken.RawToken != second.IDToken.RawToken || second.Claims()["preferred_username"] != bob {
		w.Error("the ID token differs")
	}
	if !first.ExpiresOn.Truncate(time.Second).Equal(second.ExpiresOn) || second.Metadata.RefreshOn.IsZero() {
		w.Errorf("until %v and %v, to be renewed on %v", first.ExpiresOn, second.ExpiresOn, second.Metadata.RefreshOn)
	}
	if strings.Contains(string(w.stored()), assertion) {
		w.Error("the assertion itself is stored")
	}
}

func behalfOfOthers(w *world) {
	ofAlice, ofBob, again := w.callOf(alice), w.callOf(bob), w.callOf(bob)
	for round := range 2 {
		for _, call := range []struct{ assertion, who string }{{ofAlice, alice}, {ofBob, bob}, {again, bob}} {
			if r := w.behalfOf(w.api(), call.assertion, nil); r.Account.PreferredUsername != call.who || r.FromCache() != (round > 0) {
				w.Errorf("round %d: a call of %s got %q, cached: %v", round, call.who, r.Account.PreferredUsername, r.FromCache())
			}
		}
	}
	w.wantRedeemed(3, 0)
	secret, _ := msal.Secret("secret")
	c, _ := w.cache(nil)
	other, err := msal.NewConfidential("another", secret, w.options(c))
	if err != nil {
		w.Fatal(err)
	}
	if r := w.behalfOf(other, ofBob, nil); r.FromCache() {
		w.Error("another application got the token")
	}
}

func behalfOfTenants(w *world) {
	assertion := w.callOf(bob)
	w.behalfOf(w.api(), assertion, nil)
	if r := w.behalfOf(w.api(), assertion, &msal.BehalfOptions{TenantID: "fabrikam.example"}); r.FromCache() || r.Account.Realm != "fabrikam.example" {
		w.Errorf("another tenant's token: %v of %s", r, r.Account.Realm)
	}
	if path := w.last(msaltest.KindToken).Path; path != "/fabrikam.example/oauth2/v2.0/token" {
		w.Errorf("asked %s", path)
	}
	if r := w.behalfOf(w.api(), assertion, &msal.BehalfOptions{TenantID: "Fabrikam.example"}); !r.FromCache() || r.Account.Realm != "fabrikam.example" {
		w.Errorf("the other tenant's token isn't found: %v", r)
	}
	w.behalfOf(w.api(), w.callOf(alice), &msal.BehalfOptions{TenantID: "fabrikam.example"})
	if path := w.last(msaltest.KindTokenBehalf).Path; path != "/fabrikam.example/oauth2/v2.0/token" {
		w.Errorf("redeemed the assertion at %s", path)
	}
	r, err := w.api().OnBehalfOf(w.Context(), assertion, []string{"Mail.Read"}, nil)
	if err != nil || r.FromCache() {
		w.Errorf("another scope: %v, %v", r, err)
	}
	if r, err = w.api().OnBehalfOf(w.Context(), assertion, []string{"mail.read"}, nil); err != nil || !r.FromCache() {
		w.Errorf("the same scope: %v, %v", r, err)
	}
}

// age makes what is stored look older, so that its access tokens have expired.
func (w *world) age(field string) {
	w.Helper()
	w.rewrite(func(cache string) string { return setTimes(cache, field, time.Unix(1_000_000_000, 0)) })
}

func setTimes(cache, field string, to time.Time) string {
	parts := strings.Split(cache, `"`+field+`":"`)
	for i, part := range parts[1:] {
		_, rest, _ := strings.Cut(part, `"`)
		parts[i+1] = fmt.Sprintf(`%d"%s`, to.Unix(), rest)
	}
	return strings.Join(parts, `"`+field+`":"`)
}

func behalfRefreshed(w *world) {
	assertion := w.callOf(bob)
	first := w.behalfOf(w.api(), assertion, nil)
	w.age("expires_on")
	second := w.behalfOf(w.api(), assertion, nil)
	w.wantRedeemed(1, 1)
	if second.FromCache() || second.AccessToken == first.AccessToken || second.Account.PreferredUsername != bob {
		w.Errorf("renewed: %v of %q", second, second.Account.PreferredUsername)
	}
	if got := w.last(msaltest.KindTokenRefresh).Form.Get("refresh_token"); got != first.RefreshToken {
		w.Error("another refresh token was redeemed")
	}
	if third := w.behalfOf(w.api(), assertion, nil); !third.FromCache() || third.AccessToken != second.AccessToken {
		w.Errorf("what was renewed isn't found: %v", third)
	}
	if stored := string(w.stored()); strings.Contains(stored, first.RefreshToken) || !strings.Contains(stored, second.RefreshToken) {
		w.Error("the old refresh token is stored, or the new one isn't")
	}
}

func behalfRefreshRefused(w *world) {
	assertion := w.callOf(bob)
	w.behalfOf(w.api(), assertion, nil)
	w.age("expires_on")
	w.srv.Fail(msaltest.KindTokenRefresh, msaltest.Failure{Code: "invalid_grant", SubError: "bad_token"})
	if r := w.behalfOf(w.api(), assertion, nil); r.FromCache() {
		w.Error("an expired token was found")
	}
	w.wantRedeemed(2, 1)
	w.age("expires_on")
	w.srv.Fail(msaltest.KindTokenRefresh, msaltest.Failure{Status: 503})
	_, err := w.api().OnBehalfOf(w.Context(), assertion, scopes, nil)
	if !errors.Is(err, msal.ErrServerBusy) {
		w.Errorf("a busy server: %v", err)
	}
	w.wantRedeemed(2, 2)
}

func behalfRenewed(w *world) {
	assertion := w.callOf(bob)
	first := w.behalfOf(w.api(), assertion, nil)
	w.age("refresh_on")
	w.srv.Fail(msaltest.KindTokenRefresh, msaltest.Failure{Status: 503})
	if r := w.behalfOf(w.api(), assertion, nil); r.AccessToken != first.AccessToken {
		w.Error("a token that is still good wasn't returned while the server is busy")
	}
	if r := w.behalfOf(w.api(), assertion, nil); r.AccessToken == first.AccessToken || r.FromCache() {
		w.Error("the token wasn't renewed")
	}
	w.wantRedeemed(1, 2)
}

func behalfClaims(w *world) {
	assertion := w.callOf(bob)
	w.behalfOf(w.api(), assertion, nil)
	const claims = `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`
	r := w.behalfOf(w.api(), assertion, &msal.BehalfOptions{Claims: claims})
	w.wantRedeemed(2, 0)
	if got := w.last(msaltest.KindTokenBehalf).Form.Get("claims"); r.FromCache() || got != claims {
		w.Errorf("sent the claims %q", got)
	}
	if later := w.behalfOf(w.api(), assertion, nil); later.AccessToken != r.AccessToken {
		w.Error("the token with the claims isn't the one that is found afterwards")
	}
}

func behalfForced(w *world) {
	assertion := w.callOf(bob)
	first := w.behalfOf(w.api(), assertion, nil)
	second := w.behalfOf(w.api(), assertion, &msal.BehalfOptions{ForceRefresh: true})
	w.wantRedeemed(2, 0)
	if first.AccessToken == second.AccessToken {
		w.Error("no new token")
	}
}

func behalfRefused(w *world) {
	w.srv.Fail(msaltest.KindTokenBehalf, msaltest.Failure{
		Code: "interaction_required", SubError: "basic_action", Claims: `{"access_token":{"polids":{"essential":true,"values":["p"]}}}`,
	})
	assertion := w.callOf(bob)
	_, err := w.api().OnBehalfOf(w.Context(), assertion, scopes, nil)
	refusal, ok := errors.AsType[*msal.Error](err)
	if !ok || !errors.Is(err, msal.ErrInteractionRequired) || !strings.Contains(refusal.Claims, "polids") {
		w.Errorf("conditional access: %v", err)
	}
	_, err = w.api().OnBehalfOf(w.Context(), "not.a.token", scopes, nil)
	if !errors.Is(err, msal.ErrInvalidGrant) || strings.Contains(err.Error(), "not.a.token") {
		w.Errorf("a forged assertion: %v", err)
	}
}

func behalfAtOnce(w *world) {
	assertion := w.callOf(bob)
	api := w.api()
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if r, err := api.OnBehalfOf(w.Context(), assertion, scopes, nil); err != nil || r.Account.PreferredUsername != bob {
				w.Errorf("%v, %v", r, err)
			}
		})
	}
	wg.Wait()
	w.wantRedeemed(1, 0)
}

// behalfGivenUp: a call that waits for another ends with its own context, and
// the next one is served.
func behalfGivenUp(w *world) {
	assertion := w.callOf(bob)
	c, _ := w.cache(nil)
	o := w.options(c)
	asked, answer := make(chan struct{}), make(chan struct{})
	o.HTTPClient = network(func(req *http.Request) (*http.Response, error) {
		if req.Method == http.MethodPost {
			close(asked)
			<-answer
		}
		return w.srv.Client().Do(req)
	})
	api := w.web(o)
	first := make(chan error, 1)
	go func() {
		_, err := api.OnBehalfOf(w.Context(), assertion, scopes, nil)
		first <- err
	}()
	<-asked
	ctx, cancel := context.WithCancel(w.Context())
	cancel()
	if _, err := api.OnBehalfOf(ctx, assertion, scopes, nil); !errors.Is(err, context.Canceled) {
		w.Errorf("error is %v", err)
	}
	close(answer)
	if err := <-first; err != nil {
		w.Error(err)
	}
	if !w.behalfOf(api, assertion, nil).FromCache() {
		w.Error("not found afterwards")
	}
	w.wantRedeemed(1, 0)
}

// behalfApart: what MSAL's own calls find, and who is signed in, is as without
// tokens on behalf of people.
func behalfApart(w *world) {
	api := w.api()
	r := w.behalfOf(api, w.callOf(alice), nil)
	if people, err := api.Accounts(w.Context()); err != nil || len(people) != 0 {
		w.Errorf("signed in: %v, %v", people, err)
	}
	if _, err := api.Silent(w.Context(), scopes, &msal.SilentOptions{Account: &r.Account}); !errors.Is(err, msal.ErrNoToken) {
		w.Errorf("silent: %v", err)
	}
	own := w.byCodeFlow(api)
	if own.Account.HomeAccountID != r.Account.HomeAccountID {
		w.Fatal("not the same person")
	}
	if got := silently(w.T, api, &msal.SilentOptions{Account: &own.Account}); got.AccessToken != own.AccessToken {
		w.Error("silent found another token than that of the sign-in")
	}
	silently(w.T, api, &msal.SilentOptions{Account: &own.Account, ForceRefresh: true})
	if sent := w.last(msaltest.KindTokenRefresh).Form.Get("refresh_token"); sent != own.RefreshToken {
		w.Error("silent redeemed another refresh token than that of the sign-in")
	}
	if app, err := api.ForClient(w.Context(), []string{"api://orders/.default"}, nil); err != nil || app.FromCache() {
		w.Errorf("the application's own token: %v, %v", app, err)
	}
}

func behalfSignedOut(w *world) {
	api := w.api()
	assertion := w.callOf(alice)
	of := w.behalfOf(api, assertion, nil)
	bobs := w.callOf(bob)
	w.behalfOf(api, bobs, nil)
	if err := api.Remove(w.Context(), of.Account); err != nil {
		w.Fatal(err)
	}
	if strings.Contains(string(w.stored()), of.AccessToken) || strings.Contains(string(w.stored()), of.RefreshToken) {
		w.Error("tokens of who signed out are stored")
	}
	if !w.behalfOf(w.api(), bobs, nil).FromCache() {
		w.Error("somebody else's are gone")
	}
	if w.behalfOf(w.api(), assertion, nil).FromCache() {
		w.Error("a token of who signed out was found")
	}
}

func behalfSignedOutMeanwhile(w *world) {
	assertion := w.callOf(alice)
	account := w.behalfOf(w.api(), assertion, nil).Account
	w.age("expires_on")
	c, _ := w.cache(nil)
	o := w.options(c)
	o.HTTPClient = network(func(req *http.Request) (*http.Response, error) {
		if req.Method == http.MethodPost {
			if err := w.api().Remove(w.Context(), account); err != nil {
				w.Error(err)
			}
		}
		return w.srv.Client().Do(req)
	})
	r := w.behalfOf(w.web(o), assertion, nil)
	w.wantRedeemed(1, 1)
	if strings.Contains(string(w.stored()), r.RefreshToken) {
		w.Error("the refresh brought back who signed out meanwhile")
	}
}

func behalfSwept(w *world) {
	old := w.behalfOf(w.api(), w.callOf(bob), nil)
	w.age("user_assertion_expires_on")
	signedIn := w.byCodeFlow(w.api())
	fresh := w.behalfOf(w.api(), w.callOf(bob), nil)
	stored := string(w.stored())
	for what, secret := range map[string]string{"access token": old.AccessToken, "refresh token": old.RefreshToken, "ID token": old.IDToken.RawToken} {
		if strings.Contains(stored, secret) {
			w.Errorf("the %s of an expired assertion is stored", what)
		}
	}
	if !strings.Contains(stored, fresh.AccessToken) || !strings.Contains(stored, signedIn.AccessToken) {
		w.Error("more than the expired assertion's entries is gone")
	}
}

func behalfExpired(w *world) {
	// The fake would refuse it, so what it answers is made for a good one.
	api, _ := w.cache(nil)
	o := w.options(api)
	good := w.callOf(bob)
	o.HTTPClient = substituting{w.srv.Client(), "assertion", good}
	client := w.web(o)
	within, past := w.assertionUntil(bob, time.Now().Add(-time.Minute)), w.assertionUntil(bob, time.Now().Add(-6*time.Minute))
	for range 2 {
		w.behalfOf(client, within, nil)
	}
	w.wantRedeemed(1, 0)
	before := string(w.stored())
	for range 2 {
		if w.behalfOf(client, past, nil).FromCache() {
			w.Error("a token for an expired assertion was found")
		}
	}
	w.wantRedeemed(3, 0)
	if string(w.stored()) != before {
		w.Error("a token for an expired assertion was stored")
	}
	w.rewrite(func(cache string) string { return strings.ReplaceAll(cache, hashOf(within), hashOf(past)) })
	if w.behalfOf(client, past, nil).FromCache() {
		w.Error("a token was found that was stored before its assertion expired")
	}
}

// behalfOpaque: an assertion that nobody can read counts for a day from its
// first use, however often its tokens are renewed.
func behalfOpaque(w *world) {
	c, _ := w.cache(nil)
	o := w.options(c)
	o.HTTPClient = substituting{w.srv.Client(), "assertion", w.callOf(bob)}
	api := w.web(o)
	w.behalfOf(api, "opaque", nil)
	day := func() (found []time.Duration) {
		for _, part := range strings.Split(string(w.stored()), `"user_assertion_expires_on":"`)[1:] {
			text, _, _ := strings.Cut(part, `"`)
			seconds, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				w.Fatal(err)
			}
			found = append(found, time.Until(time.Unix(seconds, 0)).Round(time.Hour))
		}
		return found
	}
	if got := day(); len(got) != 3 || got[0] != 24*time.Hour {
		w.Errorf("counts for %v", got)
	}
	w.rewrite(func(cache string) string {
		return setTimes(cache, "user_assertion_expires_on", time.Now().Add(time.Hour))
	})
	w.age("expires_on")
	w.behalfOf(api, "opaque", nil)
	w.wantRedeemed(1, 1)
	if got := day(); len(got) != 3 || slices.Max(got) != time.Hour {
		w.Errorf("counts for %v after it was renewed", got)
	}
	w.age("user_assertion_expires_on")
	if w.behalfOf(api, "opaque", nil).FromCache() {
		w.Error("found after its day")
	}
	w.wantRedeemed(2, 1)
}

func hashOf(assertion string) string {
	hash := sha256.Sum256([]byte(assertion))
	return base64.URLEncoding.EncodeToString(hash[:])
}

func behalfStoreFails(w *world) {
	var told error
	c, s := w.cache(&persist.CacheOptions{OnError: func(err error) { told = err }})
	api, assertion := w.web(w.options(c)), w.callOf(bob)
	w.behalfOf(api, w.callOf(alice), nil) // so that there is something stored
	s.fail(nil, &backend.Error{Kind: backend.ErrUnavailable})
	r := w.behalfOf(api, assertion, nil)
	if told == nil || !errors.Is(told, backend.ErrUnavailable) {
		w.Errorf("OnError was told %v", told)
	}
	if again := w.behalfOf(api, assertion, nil); again.AccessToken != r.AccessToken || !again.FromCache() {
		w.Error("this process lost the token")
	}
	s.fail(nil, nil)
	if err := c.Close(w.Context()); err != nil {
		w.Fatal(err)
	}
	if again := w.behalfOf(w.api(), assertion, nil); again.AccessToken != r.AccessToken {
		w.Error("the token wasn't stored later")
	}
	s.fail(&backend.Error{Kind: backend.ErrLocked}, nil)
	w.rewrite(func(cache string) string { return cache + "\n" })
	if _, err := api.OnBehalfOf(w.Context(), assertion, scopes, nil); !errors.Is(err, backend.ErrLocked) {
		w.Errorf("a store that can't be read: %v", err)
	}
	if bytes.Contains([]byte(told.Error()), []byte(r.AccessToken)) {
		w.Error("the error has the token")
	}
}
