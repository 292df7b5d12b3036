package msal_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// people is what both kinds of client have.
type people interface {
	silent
	Accounts(context.Context) ([]public.Account, error)
	AccountsNamed(context.Context, string) ([]public.Account, error)
	Remove(context.Context, public.Account) error
}

func listed(t *testing.T, c people) []public.Account {
	t.Helper()
	list, err := c.Accounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestAccountsFeatures(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		test func(*testing.T, *world, people, public.Account)
	}{
		{"A38 each person once", accountsOnce},
		{"A39 by name", accountsByName},
		{"C16 what an account holds", accountHolds},
		{"A40 remove account", accountRemoved},
		{"C17 silent, account by account", accountByAccount},
	} {
		t.Run(row.name, func(t *testing.T) {
			both(t, func(t *testing.T, w *world, c silent, o *msal.SilentOptions) { row.test(t, w, c.(people), *o.Account) })
		})
	}
}

func accountsOnce(t *testing.T, _ *world, c people, a public.Account) {
	if _, err := c.Silent(t.Context(), scopes, &msal.SilentOptions{Account: &a, TenantID: "fabrikam.example"}); err != nil {
		t.Fatal(err)
	}
	if got := accountNames(listed(t, c)); got != alice {
		t.Errorf("listed %q", got)
	}
	if p, ok := c.(*msal.Public); ok {
		if plain, err := p.MSAL().Accounts(t.Context()); err != nil || len(plain) != 2 {
			t.Errorf("MSAL lists %d, so nothing was shown: %v", len(plain), err)
		}
	}
}

func accountsByName(t *testing.T, _ *world, c people, _ public.Account) {
	for name, want := range map[string]string{alice: alice, "ALICE@Contoso.Example": alice, bob: "", "": ""} {
		got, err := c.AccountsNamed(t.Context(), name)
		if err != nil || accountNames(got) != want {
			t.Errorf("%q: %q, %v", name, accountNames(got), err)
		}
	}
}

func accountHolds(t *testing.T, w *world, c people, _ public.Account) {
	a := listed(t, c)[0]
	if a.HomeAccountID != msaltest.HomeAccountID(alice) || a.PreferredUsername != alice || a.AuthorityType != "MSSTS" ||
		a.Environment != strings.TrimPrefix(w.srv.URL(), "https://") || !strings.HasPrefix(a.HomeAccountID, a.LocalAccountID+".") || a.Realm == "" {
		t.Errorf("%+v", a)
	}
}

func accountRemoved(t *testing.T, w *world, c people, a public.Account) {
	before := w.srv.Count(msaltest.KindToken)
	if err := c.Remove(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if got := listed(t, c); got != nil {
		t.Errorf("still listed: %v", got)
	}
	for _, o := range []msal.SilentOptions{{}, {ForceRefresh: true}, {TenantID: "fabrikam.example"}} {
		o.Account = &a
		if _, err := c.Silent(t.Context(), scopes, &o); !errors.Is(err, msal.ErrNoToken) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if n := w.srv.Count(msaltest.KindToken); n != before {
		t.Errorf("%d requests", n-before)
	}
	if err := c.Remove(t.Context(), a); err != nil {
		t.Errorf("a second time: %v", err)
	}
}

func accountByAccount(t *testing.T, _ *world, c people, _ public.Account) {
	for _, a := range listed(t, c) {
		if r := silently(t, c, &msal.SilentOptions{Account: &a}); r.Account.HomeAccountID != a.HomeAccountID {
			t.Errorf("the token of %q", r.Account.PreferredUsername)
		}
	}
}

// TestRemoveUnderEveryName: what another library stored under another name of
// the cloud goes too.
func TestRemoveUnderEveryName(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	cache, _ := w.cache(nil)
	o := &msal.Options{Authority: msal.AuthorityPublic + "contoso.example", Cache: cache, HTTPClient: w.srv.CloudClient()}
	p := w.public(o)
	a := w.signIn(p.MSAL(), alice).Account
	w.underAnotherName("login.microsoftonline.com", "login.windows.net")
	if got := accountNames(listed(t, p)); got != alice {
		t.Errorf("listed %q", got)
	}
	if err := p.Remove(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if trace := traceIn(alice, w.path); trace != "" {
		t.Errorf("%s is still stored", trace)
	}
	if _, err := p.Silent(t.Context(), scopes, &msal.SilentOptions{Account: &a}); !errors.Is(err, msal.ErrNoToken) {
		t.Errorf("after the sign-out: %v", err)
	}
}

// underAnotherName adds a copy of all entries, as of a library that calls the
// cloud by another name.
func (w *world) underAnotherName(name, other string) {
	w.Helper()
	data, err := os.ReadFile(w.path)
	if err != nil {
		w.Fatal(err)
	}
	var stored, copied map[string]map[string]json.RawMessage
	again := []byte(strings.ReplaceAll(string(data), name, other))
	if err := errors.Join(json.Unmarshal(data, &stored), json.Unmarshal(again, &copied)); err != nil {
		w.Fatal(err)
	}
	for section, entries := range copied {
		for key, entry := range entries {
			if _, there := stored[section][key]; there {
				w.Fatalf("%s has one entry for both names: %s", section, key)
			}
			stored[section][key] = entry
		}
	}
	if data, err = json.Marshal(stored); err == nil {
		err = os.WriteFile(w.path, data, 0o600)
	}
	if err != nil {
		w.Fatal(err)
	}
}

// traceIn returns what a cache still says of a person.
func traceIn(who, path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	for _, id := range []string{msaltest.HomeAccountID(who), who} {
		if strings.Contains(strings.ToLower(string(data)), id) {
			return id
		}
	}
	return ""
}

// TestAccountsOfAnotherCloud: an account of another cloud's isn't one that this
// client can get tokens for.
func TestAccountsOfAnotherCloud(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	cache, _ := w.cache(nil)
	o := &msal.Options{Authority: msal.AuthorityPublic + "contoso.example", Cache: cache, HTTPClient: w.srv.CloudClient()}
	w.signIn(w.public(o).MSAL(), alice)
	o.Authority = msal.AuthorityChina + "contoso.example"
	if got := listed(t, w.public(o)); got != nil {
		t.Errorf("listed %q", accountNames(got))
	}
}

// TestAccountOfTheHomeTenant: of a person's entries the one of the own tenant is
// listed, in whatever order they lie.
func TestAccountOfTheHomeTenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	cache, _ := w.cache(nil)
	host := strings.TrimPrefix(w.srv.URL(), "https://")
	entry := func(key, realm string) string {
		return fmt.Sprintf(`"%s":{"home_account_id":"oid.Home","environment":%q,"realm":%q,"local_account_id":"in %s","username":"a@b"}`, key, host, realm, realm)
	}
	for i, entries := range [][]string{
		{entry("a", "guest"), entry("b", "home")}, {entry("a", "home"), entry("b", "guest")}, {entry("a", "guest"), entry("b", "home"), entry("c", "another")},
	} {
		if err := os.WriteFile(w.path, []byte(`{"Account":{`+strings.Join(entries, ",")+`}}`+strings.Repeat(" ", i)), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := listed(t, w.public(w.options(cache))); len(got) != 1 || got[0].LocalAccountID != "in home" {
			t.Errorf("%d: listed %+v", i, got)
		}
	}
}
