package msal_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// hosts notes where requests go, under Microsoft's own names.
type hosts struct {
	msal.Doer

	mu   sync.Mutex
	gets []string
	post []string
}

func (h *hosts) Do(req *http.Request) (*http.Response, error) {
	h.mu.Lock()
	list := &h.gets
	if req.Method == http.MethodPost {
		list = &h.post
	}
	if !slices.Contains(*list, req.URL.Host) {
		*list = append(*list, req.URL.Host)
	}
	h.mu.Unlock()
	return h.Doer.Do(req)
}

func (h *hosts) want(t *testing.T, get, post string) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if g, p := strings.Join(h.gets, " "), strings.Join(h.post, " "); g != get || p != post {
		t.Errorf("asked %q and posted to %q, want %q and %q", g, p, get, post)
	}
}

// inCloud are options for a cloud under its own names.
func (w *world) inCloud(authority string) (*msal.Options, *hosts) {
	h := &hosts{Doer: w.srv.CloudClient()}
	c, _ := w.cache(nil)
	return &msal.Options{Authority: authority + "contoso.example", Cache: c, HTTPClient: h}, h
}

// TestNationalClouds: each cloud is asked for itself and for its own tokens, and
// no other one; and its tokens aren't another cloud's.
func TestNationalClouds(t *testing.T) {
	t.Parallel()
	clouds := map[string]string{
		msal.AuthorityPublic:       "login.microsoftonline.com",
		msal.AuthorityUSGovernment: "login.microsoftonline.us",
		msal.AuthorityChina:        "login.partner.microsoftonline.cn",
	}
	for authority, host := range clouds {
		t.Run("A6 "+host, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			o, asked := w.inCloud(authority)
			api := w.web(o)
			r, err := api.Password(t.Context(), scopes, bob, msaltest.DefaultPassword, nil)
			if err != nil || r.Account.Environment != host {
				t.Fatalf("signed in at %q, %v", r.Account.Environment, err)
			}
			if _, err := api.ForClient(t.Context(), orders, nil); err != nil {
				t.Error(err)
			}
			assertion := w.callOf(alice)
			w.behalfOf(api, assertion, nil)
			silently(t, api, &msal.SilentOptions{Account: &r.Account, ForceRefresh: true})
			asked.want(t, host, host)
			if !w.behalfOf(api, assertion, nil).FromCache() {
				t.Error("the token on behalf of alice isn't found again")
			}
			for other := range clouds {
				if other == authority {
					continue
				}
				o, _ := w.inCloud(other)
				there := w.web(o)
				if people, err := there.Accounts(t.Context()); len(people) != 0 {
					t.Errorf("at %s: signed in: %v, %v", other, people, err)
				}
				if _, err := there.Silent(t.Context(), scopes, &msal.SilentOptions{Account: &r.Account}); !errors.Is(err, msal.ErrNoToken) {
					t.Errorf("at %s: silent: %v", other, err)
				}
				if w.behalfOf(there, assertion, nil).FromCache() {
					t.Errorf("at %s: the token on behalf of alice was found", other)
				}
			}
		})
	}
	t.Run("A6 another name of the cloud", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, nil)
		assertion := w.callOf(alice)
		o, _ := w.inCloud(msal.AuthorityPublic)
		w.behalfOf(w.web(o), assertion, nil)
		alias, _ := w.inCloud("https://login.windows.net/")
		if !w.behalfOf(w.web(alias), assertion, nil).FromCache() {
			t.Error("the token isn't found")
		}
	})
}

// TestRegions: the application's own tokens come from the region's service, and
// all processes find them, in whatever region they are; people's tokens come
// from where they always do.
func TestRegions(t *testing.T) {
	for name, c := range map[string]struct {
		authority, region, regional, people string
	}{
		"S15 public cloud":  {msal.AuthorityPublic, "westeurope", "westeurope.login.microsoft.com", "login.microsoftonline.com"},
		"S15 US government": {msal.AuthorityUSGovernment, "usgovvirginia", "usgovvirginia.login.microsoftonline.us", "login.microsoftonline.us"},
		"S16 detected":      {msal.AuthorityPublic, msal.RegionAutoDetect, "northeurope.login.microsoft.com", "login.microsoftonline.com"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("REGION_NAME", "northeurope")
			w := newWorld(t, nil)
			o, asked := w.inCloud(c.authority)
			o.Region = c.region
			own, err := w.web(o).ForClient(t.Context(), orders, nil)
			if err != nil {
				t.Fatal(err)
			}
			asked.want(t, c.regional, c.regional)
			if got, err := w.web(o).ForClient(t.Context(), orders, nil); err != nil || got.AccessToken != own.AccessToken {
				t.Errorf("another process doesn't find it: %v", err)
			}
			elsewhere, _ := w.inCloud(c.authority)
			if got, err := w.web(elsewhere).ForClient(t.Context(), orders, nil); err != nil || got.AccessToken != own.AccessToken {
				t.Errorf("a process outside of regions doesn't find it: %v", err)
			}
		})
	}
	t.Run("S15 of no region", func(t *testing.T) {
		w := newWorld(t, nil)
		o, _ := w.inCloud(msal.AuthorityPublic)
		o.Region = "https://evil.example/"
		if _, err := w.web(o).ForClient(t.Context(), orders, nil); err == nil || w.srv.Count(msaltest.KindToken) != 0 {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("S15 forced by the environment", func(t *testing.T) {
		t.Setenv("MSAL_FORCE_REGION", "westus")
		for region, want := range map[string]string{"": "westus.login.microsoft.com", "DisableMsalForceRegion": "login.microsoftonline.com"} {
			w := newWorld(t, nil)
			o, asked := w.inCloud(msal.AuthorityPublic)
			o.Region = region
			if _, err := w.web(o).ForClient(t.Context(), orders, nil); err != nil {
				t.Fatal(err)
			}
			asked.want(t, want, want)
		}
	})
	t.Run("S15 people's tokens", func(t *testing.T) {
		w := newWorld(t, nil)
		o, asked := w.inCloud(msal.AuthorityPublic)
		o.Region = "westeurope"
		api, assertion := w.web(o), w.callOf(bob)
		first := w.behalfOf(api, assertion, nil)
		w.age("expires_on")
		second := w.behalfOf(api, assertion, nil)
		if !w.behalfOf(api, assertion, nil).FromCache() || second.AccessToken == first.AccessToken {
			t.Error("not found again")
		}
		imported, err := api.RefreshToken(t.Context(), second.RefreshToken, scopes, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := api.Password(t.Context(), scopes, alice, msaltest.DefaultPassword, nil); err != nil {
			t.Error(err)
		}
		if got := silently(t, api, &msal.SilentOptions{Account: &imported.Account}); got.AccessToken != imported.AccessToken {
			t.Error("what was imported isn't found")
		}
		asked.want(t, "login.microsoftonline.com", "login.microsoftonline.com")
	})
	t.Run("S15 people who sign in", func(t *testing.T) {
		for name, inRegion := range map[string]func(*testing.T, *msal.Options){
			"by the option":       func(_ *testing.T, o *msal.Options) { o.Region = "westeurope" },
			"by the environment":  func(t *testing.T, _ *msal.Options) { t.Setenv("MSAL_FORCE_REGION", "westeurope") },
			"the environment off": func(_ *testing.T, o *msal.Options) { o.Region = "disablemsalforceregion" },
		} {
			t.Run(name, func(t *testing.T) { peopleInRegion(t, inRegion) })
		}
	})
}

// peopleInRegion signs people in and refreshes their tokens, in every way that
// has a URL or a cache between two calls.
func peopleInRegion(t *testing.T, inRegion func(*testing.T, *msal.Options)) {
	const want = "login.microsoftonline.com"
	w := newWorld(t, nil)
	o, asked := w.inCloud(msal.AuthorityPublic)
	inRegion(t, o)
	web := w.web(o)
	first := w.byCodeFlow(web)
	uri, err := web.AuthCodeURL(t.Context(), msal.AuthCodeOptions{RedirectURI: clientRedirect, Scopes: scopes, State: "mine"}, "sent")
	if err != nil || !strings.HasPrefix(uri, "https://"+want+"/") {
		t.Errorf("the browser is sent to %s, %v", uri, err)
	}
	answer, err := w.srv.Authorize(uri, alice)
	if err != nil {
		t.Fatal(err)
	}
	second, err := web.RedeemCode(t.Context(), msal.CodeRequest{Code: answer.Get("code"), RedirectURI: clientRedirect, Scopes: scopes}, "sent")
	if err != nil || second.AccessToken == first.AccessToken {
		t.Fatal(err)
	}
	account := &second.Account
	if got := silently(t, web, &msal.SilentOptions{Account: account}); got.AccessToken != second.AccessToken {
		t.Error("the token isn't found")
	}
	w.age("expires_on")
	for _, how := range []*msal.SilentOptions{
		{Account: account}, {Account: account, ForceRefresh: true}, {Account: account, Claims: `{"access_token":{}}`},
	} {
		if got := silently(t, web, how); got.FromCache() || whose(got.AccessToken) != alice {
			t.Errorf("%+v: no new token of the same person", how)
		}
	}
	asked.want(t, want, want)
}

// TestRegionOnPlainMSAL: MSAL asks a region's service for people's tokens, which
// has none.
func TestRegionOnPlainMSAL(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	o, asked := w.inCloud(msal.AuthorityPublic)
	o.Cache, o.Region = nil, "westeurope"
	if _, err := w.web(o).MSAL().AcquireTokenByUsernamePassword(t.Context(), scopes, bob, msaltest.DefaultPassword); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(asked.post, []string{"westeurope.login.microsoft.com"}) {
		t.Errorf("MSAL asks %q now: Confidential.people isn't needed any more", asked.post)
	}
}
