package msal_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// A library keeps the refresh token of an account and client under a key of its
// own, and stores with it an access token that says when it was cached.
var libraries = []struct{ name, env, key, refresh, access string }{
	{"MSAL Python", "login.microsoftonline.com", "%s-%s-refreshtoken-client--mail.read user.read", `,"target":"Mail.Read User.Read","last_modification_time":"%d"`, ""},
	{"MSAL.NET", "login.windows.net", "%s-%s-refreshtoken-client--", `,"client_info":"eyJ9"`, `,"ext_expires_on":"%d"`},
	{"MSAL Go", "login.microsoftonline.com", "%s-%s-refreshtoken-client", "", ""},
}

var allAges = [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}

// duplicated is a cache to which each library has written, one after the other
// as ages say; the tokens are in the order of the libraries. Its entries are in
// any order, as MSAL Go writes them.
func duplicated(tokens []string, ages []int) []byte {
	const account = `"home_account_id":"%s","environment":"%s"`
	home := msaltest.HomeAccountID(alice)
	var refresh, access []string
	for i, l := range libraries {
		at := 1_700_000_000 + 1000*ages[i]
		who := fmt.Sprintf(account, home, l.env)
		refresh = append(refresh, fmt.Sprintf(`"`+l.key+`":{%s,"client_id":"client","secret":"%s"%s}`, home, l.env, who, tokens[i], dated(l.refresh, at)))
		access = append(access, fmt.Sprintf(`"%s-%d":{%s,"client_id":"client","realm":"%s","target":"User.Read","secret":"x","cached_at":"%d","expires_on":"%d"%s}`,
			home, i, who, msaltest.DefaultTenant, at, at+3600, dated(l.access, at)))
	}
	shuffle := func(entries []string) string {
		rand.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
		return strings.Join(entries, ",")
	}
	const env = "login.microsoftonline.com"
	return fmt.Appendf(nil, `{"AccessToken":{%s},"RefreshToken":{%s},"Account":{"a":{%s,"realm":"%s","username":"%s"}},"AppMetadata":{"m":{"environment":"%s","client_id":"client"}}}`,
		shuffle(access), shuffle(refresh), fmt.Sprintf(account, home, env), msaltest.DefaultTenant, alice, env)
}

func dated(format string, at int) string {
	if !strings.Contains(format, "%") {
		return format
	}
	return fmt.Sprintf(format, at)
}

// TestOlderRefreshTokensUnderOtherKeysAreNotUsed: MSAL Go by itself sends any
// of them.
func TestOlderRefreshTokensUnderOtherKeysAreNotUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	var issued []string
	for range libraries {
		issued = append(issued, w.refreshTokenOf(alice))
	}
	for round := range 100 {
		ages := allAges[round%len(allAges)]
		newest := slices.Index(ages, len(libraries)-1)
		w.path = filepath.Join(t.TempDir(), "cache")
		if err := os.WriteFile(w.path, duplicated(issued, ages), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := w.silentlySent(); got != issued[newest] {
			t.Fatalf("round %d: that of %s was sent, and the newest is of %s", round,
				libraries[slices.Index(issued, got)].name, libraries[newest].name)
		}
		stored := w.refreshTokens()
		if len(stored) != 1 || slices.Contains(issued, stored[0]) {
			t.Fatalf("round %d: %d refresh tokens are stored", round, len(stored))
		}
		if got := w.silentlySent(); got != stored[0] {
			t.Fatalf("round %d: another token than the stored one was sent", round)
		}
	}
}

// silentlySent returns the refresh token that a new client sends for alice.
func (w *world) silentlySent() string {
	w.Helper()
	c, _ := w.cache(nil)
	client, err := public.New("client", public.WithAuthority("https://login.microsoftonline.com/"+msaltest.DefaultTenant),
		public.WithHTTPClient(w.srv.CloudClient()), public.WithCache(msal.Accessor(c)))
	if err != nil {
		w.Fatal(err)
	}
	// A scope that nobody has asked for.
	_, err = client.AcquireTokenSilent(w.Context(), []string{fmt.Sprint("Scope.", rand.Int())}, public.WithSilentAccount(w.account(client, alice)))
	if err != nil {
		w.Fatal(err)
	}
	sent := w.srv.Requests(msaltest.KindTokenRefresh)
	return sent[len(sent)-1].Form.Get("refresh_token")
}

// refreshTokenOf signs somebody in elsewhere, and returns the refresh token.
func (w *world) refreshTokenOf(who string) string {
	w.Helper()
	elsewhere := &world{w.T, w.srv, filepath.Join(w.TempDir(), "cache")}
	elsewhere.signIn(elsewhere.client(), who)
	return elsewhere.refreshTokens()[0]
}

func (w *world) refreshTokens() []string {
	w.Helper()
	data, err := os.ReadFile(w.path)
	if err != nil {
		w.Fatal(err)
	}
	var cache struct {
		RefreshToken map[string]struct{ Secret string }
	}
	if err := json.Unmarshal(data, &cache); err != nil {
		w.Fatal(err)
	}
	var all []string
	for _, e := range cache.RefreshToken {
		all = append(all, e.Secret)
	}
	return all
}
