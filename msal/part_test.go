package msal_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// foreign is what another program keeps in the same cache.
const foreign = `"python":{"home_account_id":"zoe.t","environment":"login.windows.net","client_id":"other","secret":"theirs","wam":[1, 2]}`

// TestClientsThatHavePartOfTheCache lets clients that are given some people's
// tokens do whatever comes, in turn. Who is signed in is as expected after each
// step, and what is somebody else's stays to the byte.
func TestClientsThatHavePartOfTheCache(t *testing.T) {
	t.Parallel()
	w := newWorld(t, &msaltest.Options{ExpiresIn: msaltest.DefaultExpiresIn, SingleUseRefreshTokens: true})
	if err := os.WriteFile(w.path, []byte(`{"Unknown":{ "x":1 },"RefreshToken":{`+foreign+`}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	shared, _ := w.cache(nil)
	accessor := msal.Accessor(shared)
	clients := []public.Client{w.clientWith(accessor), w.clientWith(accessor), w.client()}
	web := w.confidential()
	in := map[string]public.Account{}
	random := rand.New(rand.NewPCG(3, 5))
	for step := range 150 {
		client := clients[random.IntN(len(clients))]
		who := fmt.Sprintf("p%d@contoso.example", random.IntN(8))
		account, known := in[who]
		var err error
		switch action := random.IntN(8); {
		case !known || action == 0:
			in[who] = w.signIn(client, who).Account
		case action == 1:
			err = client.RemoveAccount(t.Context(), account)
			delete(in, who)
		case action == 2:
			_, err = client.Accounts(t.Context())
		case action == 3:
			_, err = web.AcquireTokenByCredential(t.Context(), []string{"https://graph.microsoft.com/.default"})
		case action == 4 && step%4 == 0:
			w.onBehalf(web)
		case action == 5:
			user := w.byCode(web)
			if _, err = web.AcquireTokenSilent(t.Context(), scopes, confidential.WithSilentAccount(user.Account)); err == nil {
				err = web.RemoveAccount(t.Context(), user.Account)
			}
		default:
			refreshed := []string{fmt.Sprint("Scope.", step)}
			_, err = client.AcquireTokenSilent(t.Context(), refreshed, public.WithSilentAccount(account))
		}
		if err != nil {
			t.Fatalf("step %d, %s: %v", step, who, err)
		}
		if got, want := w.people(), strings.Join(slices.Sorted(maps.Keys(in)), " "); got != want {
			t.Fatalf("step %d: %q are signed in, not %q", step, got, want)
		}
		if data, err := os.ReadFile(w.path); err != nil || !bytes.Contains(data, []byte(foreign)) || !bytes.Contains(data, []byte(`"Unknown":{ "x":1 }`)) {
			t.Fatalf("step %d: what is another's changed: %s, %v", step, data, err)
		}
	}
	for who, account := range in { // each has the refresh token that is valid
		if _, err := w.client().AcquireTokenSilent(t.Context(), []string{"Last"}, public.WithSilentAccount(account)); err != nil {
			t.Errorf("%s: %v", who, err)
		}
	}
}
