package msal_test

import (
	"testing"

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
