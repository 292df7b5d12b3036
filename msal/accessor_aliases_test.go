package msal_test

import (
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// at is a client of another process at one of the cloud's host names.
func (w *world) at(host, id string) public.Client {
	w.Helper()
	c, _ := w.cache(nil)
	client, err := public.New(id, public.WithAuthority("https://"+host+"/"+msaltest.DefaultTenant),
		public.WithHTTPClient(w.srv.CloudClient()), public.WithCache(msal.Accessor(c)))
	if err != nil {
		w.Fatal(err)
	}
	return client
}

// TestSignOutByAnotherNameOfTheCloud: an account is known by one name, and
// stored under another. Whose it isn't, and what other applications have, stays.
func TestSignOutByAnotherNameOfTheCloud(t *testing.T) {
	t.Parallel()
	const windows, online = "login.windows.net", "login.microsoftonline.com"
	for _, name := range []string{windows, online, "sts.windows.net", "login.microsoftonline.us"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.signIn(w.at(windows, "client"), alice)
			w.signIn(w.at(windows, "client"), bob)
			w.signIn(w.at(windows, "other"), alice)
			client := w.at(online, "client")
			account := w.signIn(client, alice).Account
			account.Environment = name
			if err := client.RemoveAccount(t.Context(), account); err != nil {
				t.Fatal(err)
			}
			same := name != "login.microsoftonline.us"
			fresh := w.at(online, "client")
			account.Environment = online
			_, err := fresh.AcquireTokenSilent(t.Context(), []string{"Mail.Read"}, public.WithSilentAccount(account))
			if (err != nil) != same {
				t.Errorf("silent afterwards: %v", err)
			}
			if got := len(w.sections()["RefreshToken"]); got != map[bool]int{true: 2, false: 3}[same] {
				t.Errorf("%d refresh tokens are left", got)
			}
			want := alice + " " + bob
			if same {
				want = bob
			}
			if got := names(t, fresh); got != want {
				t.Errorf("signed in: %s", got)
			}
		})
	}
}

// TestSignOutByAnotherNameInAPartition is the same where a partition is between
// MSAL and the cache.
func TestSignOutByAnotherNameInAPartition(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	p := w.app(nil, nil).p
	at := func(host string) public.Client {
		t.Helper()
		clients := msal.Partitioned(p, nil, func(c cache.ExportReplace) (public.Client, error) {
			return public.New("client", public.WithAuthority("https://"+host+"/"+msaltest.DefaultTenant),
				public.WithHTTPClient(w.srv.CloudClient()), public.WithCache(c))
		}, nil)
		client, err := clients.Client(msal.WithPartition(t.Context(), "session"))
		if err != nil {
			t.Fatal(err)
		}
		return client
	}
	w.signIn(at("login.windows.net"), alice)
	account := w.signIn(at("login.microsoftonline.com"), alice).Account
	if err := at("login.microsoftonline.com").RemoveAccount(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	r, err := at("login.microsoftonline.com").AcquireTokenSilent(t.Context(), []string{"Mail.Read"}, public.WithSilentAccount(account))
	if err == nil {
		t.Errorf("still signed in: %s", r.Account.PreferredUsername)
	}
}
