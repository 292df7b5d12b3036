package msal_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/extensions/tokencache"
	"github.com/msalext/msalext/msal/msaltest"
)

// TestExpiredTokenIsNotTakenForOneThatLives: another library left one under a
// key of its own, or the person has consented to more since. MSAL Go by itself
// takes either, and refreshes where that is the expired one.
func TestExpiredTokenIsNotTakenForOneThatLives(t *testing.T) {
	t.Parallel()
	for name, target := range map[string]string{"the same scopes": "Mail.Read User.Read", "fewer": "User.Read"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			client := w.client()
			account := w.signIn(client, alice).Account
			both := []string{"User.Read", "Mail.Read"}
			if _, err := client.AcquireTokenSilent(t.Context(), both, public.WithSilentAccount(account)); err != nil {
				t.Fatal(err)
			}
			w.leaveExpired(target)
			before := w.srv.Count(msaltest.KindToken)
			for range 40 {
				if _, err := w.client().AcquireTokenSilent(t.Context(), scopes, public.WithSilentAccount(account)); err != nil {
					t.Fatal(err)
				}
			}
			if n := w.srv.Count(msaltest.KindToken) - before; n != 0 {
				t.Errorf("%d requests for a token that is there", n)
			}
		})
	}
}

// leaveExpired makes all access tokens but the one for most scopes those of
// yesterday, for these scopes.
func (w *world) leaveExpired(target string) {
	w.Helper()
	c, _ := w.cache(nil)
	yesterday := fmt.Sprint(time.Now().Add(-24 * time.Hour).Unix())
	err := c.Modify(w.Context(), func(tc *tokencache.TokenCache) error {
		data, best := string(tc.Serialize()), ""
		for _, e := range tc.Search(tokencache.Query{}) {
			if len(e.Field("target")) > len(best) {
				best = e.Field("target")
			}
		}
		for _, e := range tc.Search(tokencache.Query{}) {
			old := string(e.Raw())
			if e.Field("target") == best {
				continue
			}
			raw := old
			for field, value := range map[string]string{"target": target, "expires_on": yesterday, "cached_at": yesterday} {
				raw = strings.Replace(raw, fmt.Sprintf("%q:%q", field, e.Field(field)), fmt.Sprintf("%q:%q", field, value), 1)
			}
			data = strings.Replace(data, old, raw, 1)
		}
		return tc.Deserialize([]byte(data))
	})
	if err != nil {
		w.Fatal(err)
	}
}
