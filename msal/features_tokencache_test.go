package msal_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/tokencache"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// TestTokenCacheFeatures is what MSAL Python's TokenCache has, with the ids of
// docs/msal.md.
func TestTokenCacheFeatures(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*world){
		"A41 TokenCache":                tokenCacheServesMSAL,
		"A42 TokenCache.add":            tokenCacheAdd,
		"A43 TokenCache.search":         tokenCacheSearch,
		"A44 TokenCache.modify, remove": tokenCacheModify,
		"A45 serialize, deserialize":    tokenCacheSerialize,
		"A46 has_state_changed":         tokenCacheState,
		"A47 a hook on add":             tokenCacheHook,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(newWorld(t, nil))
		})
	}
}

// signedInCache is the cache of somebody who signed in.
func (w *world) signedInCache() (*tokencache.TokenCache, []byte) {
	w.Helper()
	w.signIn(w.client(), alice)
	var c tokencache.TokenCache
	if err := c.Deserialize(w.stored()); err != nil {
		w.Fatal(err)
	}
	return &c, w.stored()
}

func tokenCacheServesMSAL(w *world) {
	c, _ := w.signedInCache()
	accounts := c.Accounts()
	if len(accounts) != 1 || accounts[0].Username != alice || accounts[0].HomeAccountID != msaltest.HomeAccountID(alice) {
		w.Errorf("accounts %v", accounts)
	}
}

// tokenCacheAdd makes a cache of an answer of the token endpoint, which MSAL
// then uses.
func tokenCacheAdd(w *world) {
	var c tokencache.TokenCache
	event := tokencache.Event{
		ClientID: "client", Scopes: scopes, GrantType: "password", TokenEndpoint: w.srv.Authority() + "/oauth2/v2.0/token",
		Environment: w.srv.URL()[len("https://"):], Now: time.Now(),
		Response: w.post(map[string]string{
			"grant_type": "password", "client_id": "client", "username": alice, "password": msaltest.DefaultPassword,
			"scope": "User.Read openid offline_access profile",
		}),
	}
	if err := c.Add(event); err != nil {
		w.Fatal(err)
	}
	w.store(c.Serialize())
	cache, _ := w.cache(nil)
	p := w.public(w.options(cache))
	account := w.account(p.MSAL(), alice)
	for scope, cached := range map[string]bool{"User.Read": true, "Mail.Read": false} {
		r, err := p.Silent(w.Context(), []string{scope}, &msal.SilentOptions{Account: &account})
		if err != nil || r.FromCache() != cached {
			w.Errorf("%s: %v, %v", scope, r, err)
		}
	}
}

// post sends a token request as no MSAL does, and returns the answer.
func (w *world) post(fields map[string]string) []byte {
	w.Helper()
	form := url.Values{}
	for name, value := range fields {
		form.Set(name, value)
	}
	resp, err := w.srv.Client().PostForm(w.srv.Authority()+"/oauth2/v2.0/token", form)
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		w.Fatalf("%s: %s, %v", resp.Status, body, err)
	}
	return body
}

func tokenCacheSearch(w *world) {
	c, _ := w.signedInCache()
	home := msaltest.HomeAccountID(alice)
	for _, q := range []struct {
		name string
		tokencache.Query
		want int
	}{
		{"its access token", tokencache.Query{HomeAccountID: home, Scopes: scopes, Now: time.Now()}, 1},
		{"for other scopes", tokencache.Query{HomeAccountID: home, Scopes: []string{"Mail.Read"}}, 0},
		{"after it expired", tokencache.Query{HomeAccountID: home, Now: time.Now().Add(2 * time.Hour)}, 0},
		{"another person's", tokencache.Query{HomeAccountID: msaltest.HomeAccountID(bob)}, 0},
		{"its refresh token", tokencache.Query{Section: tokencache.RefreshTokens, ClientID: "client"}, 1},
	} {
		if got := c.Search(q.Query); len(got) != q.want {
			w.Errorf("%s: %d entries", q.name, len(got))
		}
	}
}

func tokenCacheModify(w *world) {
	c, _ := w.signedInCache()
	entries := c.Search(tokencache.Query{Section: tokencache.RefreshTokens})
	if _, err := c.Modify(entries[0], map[string]any{"secret": "another"}); err != nil {
		w.Fatal(err)
	}
	entries = c.Search(tokencache.Query{Section: tokencache.RefreshTokens})
	if len(entries) != 1 || entries[0].Field("secret") != "another" {
		w.Errorf("modified: %v", entries)
	}
	if !c.Remove(entries[0]) || len(c.Search(tokencache.Query{Section: tokencache.RefreshTokens})) != 0 {
		w.Error("it isn't removed")
	}
	if n := c.RemoveAccount(c.Accounts()[0], "client"); n == 0 || len(c.Accounts()) != 0 {
		w.Errorf("%d entries went with the account", n)
	}
}

func tokenCacheSerialize(w *world) {
	c, stored := w.signedInCache()
	if !bytes.Equal(c.Serialize(), stored) {
		w.Error("what is read isn't what is written")
	}
	if err := c.Deserialize([]byte("[]")); !errors.Is(err, tokencache.ErrMalformed) {
		w.Errorf("no cache: %v", err)
	}
}

func tokenCacheState(w *world) {
	c, _ := w.signedInCache()
	before := c.HasStateChanged()
	c.RemoveAccount(c.Accounts()[0], "client")
	changed := c.HasStateChanged()
	c.Serialize()
	if before || !changed || c.HasStateChanged() {
		w.Errorf("changed: %t, %t, %t", before, changed, c.HasStateChanged())
	}
}

func tokenCacheHook(w *world) {
	c, _ := w.signedInCache()
	called := 0
	c.OnChange(func() { called++ })
	c.RemoveAccount(c.Accounts()[0], "client")
	if called != 1 {
		w.Errorf("called %d times", called)
	}
}
