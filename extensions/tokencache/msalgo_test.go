package tokencache_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/extensions/tokencache"
)

// memory gives a real MSAL client a cache, and takes what it hands back.
type memory struct{ stored, exported []byte }

func (m *memory) Replace(_ context.Context, u cache.Unmarshaler, _ cache.ReplaceHints) error {
	return u.Unmarshal(m.stored)
}

func (m *memory) Export(_ context.Context, from cache.Marshaler, _ cache.ExportHints) (err error) {
	m.exported, err = from.Marshal()
	return err
}

// offline is a network without a server.
type offline struct{}

func (offline) Do(*http.Request) (*http.Response, error) { return nil, errors.New("offline") }
func (offline) CloseIdleConnections()                    {}

func msalGo(t testing.TB, clientID, tenant string, m *memory) public.Client {
	t.Helper()
	client, err := public.New(clientID, public.WithAuthority("https://login.microsoftonline.com/"+tenant),
		public.WithInstanceDiscovery(false), public.WithHTTPClient(offline{}), public.WithCache(m))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// throughMSALGo lets MSAL Go read a cache and write it back.
func throughMSALGo(t testing.TB, data []byte) (accounts []public.Account, exported []byte, err error) {
	t.Helper()
	m := &memory{stored: data}
	client := msalGo(t, "c", "tenant", m)
	accounts, err = client.Accounts(t.Context())
	if err == nil {
		err = client.RemoveAccount(t.Context(), public.Account{HomeAccountID: "nobody", Environment: "nowhere"})
	}
	return accounts, m.exported, err
}

const good = `{"home_account_id":"alice","environment":"login.microsoftonline.com","realm":"tenant","username":"alice@example.com"}`

func withEntry(section, key, entry string) string {
	quoted, err := json.Marshal(key)
	if err != nil {
		panic(err)
	}
	if section == "Account" {
		return `{"Account":{"alice":` + good + `,` + string(quoted) + `:` + entry + `}}`
	}
	return `{"Account":{"alice":` + good + `},"` + section + `":{` + string(quoted) + `:` + entry + `}}`
}

// poison is what makes MSAL Go refuse a whole cache or export invalid JSON, or
// may do so. harmful tells that it does: the test would be void otherwise.
var poison = []struct {
	name, cache string
	harmful     bool
}{
	{"null expires_on", withEntry("AccessToken", "k", `{"client_id":"c","expires_on":null}`), true},
	{"empty expires_on", withEntry("AccessToken", "k", `{"client_id":"c","expires_on":""}`), true},
	{"null cached_at", withEntry("AccessToken", "k", `{"client_id":"c","cached_at":null}`), true},
	{"empty cached_at", withEntry("AccessToken", "k", `{"client_id":"c","cached_at":""}`), true},
	{"null refresh_on", withEntry("AccessToken", "k", `{"client_id":"c","refresh_on":null}`), true},
	{"null extended_expires_on", withEntry("AccessToken", "k", `{"client_id":"c","extended_expires_on":null}`), true},
	{"fraction of a second", withEntry("AccessToken", "k", `{"client_id":"c","expires_on":1.5}`), true},
	{"exponent", withEntry("AccessToken", "k", `{"client_id":"c","expires_on":1e9}`), true},
	{"time in words", withEntry("AccessToken", "k", `{"client_id":"c","expires_on":"tomorrow"}`), true},
	{"time beyond an integer", withEntry("AccessToken", "k", `{"client_id":"c","expires_on":"99999999999999999999"}`), true},
	{"time with escapes", withEntry("AccessToken", "k", `{"client_id":"c","expires_on":"\u0031"}`), true},
	{"time as object", withEntry("AccessToken", "k", `{"client_id":"c","expires_on":{}}`), true},
	{"null entry", withEntry("Account", "k", `null`), true},
	{"empty entry", withEntry("Account", "k", `{}`), true},
	{"entry of empty fields", withEntry("Account", "k", `{"username":"","realm":null}`), true},
	{"empty entry of tokens", withEntry("IdToken", "k", `{}`), true},
	{"empty metadata", withEntry("AppMetadata", "k", `{}`), true},
	{"entry is a list", withEntry("RefreshToken", "k", `[1]`), true},
	{"entry is text", withEntry("RefreshToken", "k", `"x"`), true},
	{"entry is a number", withEntry("RefreshToken", "k", `7`), true},
	{"text is a number", withEntry("RefreshToken", "k", `{"client_id":7}`), true},
	{"text is an object", withEntry("RefreshToken", "k", `{"client_id":{}}`), true},
	{"DEL in a key", withEntry("Account", "a\u007fb", good), true},
	{"bell in a key", withEntry("Account", "a\ab", good), true},
	{"NUL in a key", withEntry("Account", "a\x00b", good), true},
	{"escape in a key", withEntry("Account", "a\x1bb", good), true},
	{"C1 control in a key", withEntry("Account", "a\u0085b", good), false},
	{"tag character in a key", withEntry("Account", "a\U000e0001b", good), true},
	{"line separator in a key", withEntry("Account", "a\u2028b", good), false},
	{"quote in a key", withEntry("Account", `a"\b`, good), false},
	{"empty key", withEntry("Account", ``, good), false},
	{"control characters in a value", withEntry("Account", "k", `{"realm":"r","username":"\u0000\u001b\u007f"}`), false},
	{"half a surrogate pair", withEntry("Account", "k", `{"realm":"r","username":"\ud83d"}`), false},
	{"half a surrogate pair as key", `{"Account":{"alice":` + good + `,"\ud83d":` + good + `}}`, false},
	{"number in a field named as in Go", withEntry("Account", "k", `{"realm":"r","HomeAccountID":7}`), true},
	{"null time in a field named as in Go", withEntry("AccessToken", "k", `{"client_id":"c","ExpiresOn":null}`), true},
	{"somebody else in a field named as in Go", withEntry("Account", "k", `{"home_account_id":"bob","HomeAccountID":"eve"}`), false},
	{"field of MSAL Go's", withEntry("Account", "k", `{"realm":"r","AdditionalFields":{"x":1}}`), false},
	{"field of MSAL Go's, null", withEntry("Account", "k", `{"realm":"r","AdditionalFields":null}`), false},
	{"unknown fields of all types", withEntry("Account", "k", `{"realm":"r","a":null,"b":[],"c":{"d":{}},"e":1e300,"f":true}`), false},
	{"only unknown fields", withEntry("Account", "k", `{"x":"y"}`), false},
	{"number beyond a double", withEntry("Account", "k", `{"realm":"r","x":1e400}`), false},
	{"nested number beyond a double", withEntry("Account", "k", `{"realm":"r","x":{"y":[1e400]}}`), false},
	{"control character in a field name", withEntry("Account", "k", `{"realm":"r","\u0007":1}`), true},
	{"null section", `{"Account":{"alice":` + good + `},"AccessToken":null}`, false},
	{"unknown sections", `{"Account":{"alice":` + good + `},"X":null,"Y":[],"Z":{"a":{}}}`, false},
	{"section named as in Go", `{"Account":{"alice":` + good + `},"AccessTokens":{"a":{}}}`, true},
	{"member of MSAL Go's", `{"Account":{"alice":` + good + `},"AdditionalFields":{"a":1}}`, false},
	{"byte order mark", "\ufeff" + `{"Account":{"alice":` + good + `}}`, true},
	{"bytes behind the object", `{"Account":{"alice":` + good + `}}{"Account":{"al`, false},
	{"NULs behind the object", `{"Account":{"alice":` + good + `}}` + "\x00\x00\x00", false},
	{"torn within a character", `{"Account":{"alice":` + good + `}}` + "name\":\"Zo\xc3", false},
	{"white space around", " \r\n\t" + `{"Account":{"alice":` + good + `}}` + "\n\n", false},
}

func TestPoisonLocksNobodyOut(t *testing.T) {
	t.Parallel()
	for _, c := range poison {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, exported, err := throughMSALGo(t, []byte(c.cache))
			if harmful := err != nil || !json.Valid(exported); harmful != c.harmful {
				t.Errorf("MSAL Go by itself: harmful %v, %v, %s", harmful, err, exported)
			}
			readable, err := tokencache.Readable([]byte(c.cache))
			if err != nil {
				t.Fatal(err)
			}
			accounts, exported, err := throughMSALGo(t, readable)
			if err != nil || !json.Valid(exported) {
				t.Fatalf("MSAL Go read %s: %v, and wrote %s", readable, err, exported)
			}
			if len(accounts) == 0 || !bytes.Contains(exported, []byte("alice@example.com")) || bytes.Contains(exported, []byte("eve")) {
				t.Errorf("accounts %v, exported %s", accounts, exported)
			}
		})
	}
}

func TestNothingStoredIsReadable(t *testing.T) {
	t.Parallel()
	for _, data := range []string{"", " \n", "\ufeff", "\ufeff\n", "{}", "{\"Account\":null}", "\x00\x00"[:0]} {
		readable, err := tokencache.Readable([]byte(data))
		if err != nil {
			t.Fatal(err)
		}
		if accounts, exported, err := throughMSALGo(t, readable); err != nil || len(accounts) != 0 || !json.Valid(exported) {
			t.Errorf("%q: %v, %v, %s", data, err, accounts, exported)
		}
	}
}

// Whatever is stored, MSAL Go reads what Readable gives, and writes JSON.
func FuzzReadable(f *testing.F) {
	for _, c := range poison {
		f.Add([]byte(c.cache))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		readable, err := tokencache.Readable(data)
		if err != nil {
			return
		}
		_, exported, err := throughMSALGo(t, readable)
		if err != nil || !json.Valid(exported) {
			t.Fatalf("MSAL Go read %q: %v, and wrote %q", readable, err, exported)
		}
		var c tokencache.TokenCache
		if err := c.Deserialize(exported); err != nil {
			t.Errorf("what MSAL Go wrote can't be read: %v, %q", err, exported)
		}
		if _, _, err := tokencache.Merge(readable, exported, readable, tokencache.OpAcquire); err != nil {
			t.Errorf("nor merged: %v", err)
		}
	})
}

const (
	tenant = "11111111-1111-1111-1111-111111111111"
	appID  = "22222222-2222-2222-2222-222222222222"
	alice  = "aaaaaaaa-0000-0000-0000-000000000001." + tenant
)

// signedIn is a cache with an answer for alice in it.
func signedIn(t *testing.T, lifetime int, now time.Time) []byte {
	t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	var c tokencache.TokenCache
	err := c.Add(tokencache.Event{
		ClientID: appID, Scopes: []string{"User.Read", "Mail.Read"}, TokenEndpoint: "https://login.microsoftonline.com/" + tenant + "/oauth2/v2.0/token",
		GrantType: "authorization_code", Now: now,
		Response: fmt.Appendf(nil, `{"access_token":"AT-1","refresh_token":"RT-1","id_token":"e30.%s.x","client_info":"%s","expires_in":%d}`,
			encode([]byte(`{"oid":"o","sub":"s","preferred_username":"alice@example.com"}`)),
			encode([]byte(`{"uid":"aaaaaaaa-0000-0000-0000-000000000001","utid":"`+tenant+`"}`)), lifetime),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c.Serialize()
}

// MSAL Go finds what Add wrote: the access token, the refresh token once that
// has expired, the account; and signs it out.
func TestMSALGoReadsWhatAddWrote(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lifetime int
		token    string
		err      string
	}{
		"valid":   {3600, "AT-1", ""},
		"expired": {60, "", "offline"}, // it found the refresh token, and tried to use it
	} {
		m := &memory{stored: signedIn(t, c.lifetime, time.Now())}
		client := msalGo(t, appID, tenant, m)
		account := onlyAccount(t, client)
		result, err := client.AcquireTokenSilent(t.Context(), []string{"mail.read"}, public.WithSilentAccount(account))
		if result.AccessToken != c.token || !strings.Contains(fmt.Sprint(err), c.err) || (err == nil) != (c.err == "") {
			t.Errorf("%s: %q, %v", name, result.AccessToken, err)
		}
		signedOutByMSALGo(t, client, account, m)
	}
}

// MSAL Go finds, and signs out, what Merge stored under MSAL Python's keys.
func TestMSALGoReadsPythonsKeys(t *testing.T) {
	t.Parallel()
	byGo, err := os.ReadFile("testdata/msal-go.json")
	if err != nil {
		t.Fatal(err)
	}
	stored, _, err := tokencache.Merge(nil, byGo, nil, tokencache.OpAcquire)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"-refreshtoken-" + appID + `--"`, "-idtoken-" + appID + "-" + tenant + `-"`} {
		if !bytes.Contains(stored, []byte(key)) || bytes.Contains(byGo, []byte(key)) {
			t.Errorf("no key with %s", key)
		}
	}
	m := &memory{stored: stored}
	client := msalGo(t, appID, tenant, m)
	accounts, err := client.Accounts(t.Context())
	if err != nil || len(accounts) != 2 {
		t.Fatal(accounts, err)
	}
	for _, a := range accounts {
		_, err := client.AcquireTokenSilent(t.Context(), []string{"not.cached"}, public.WithSilentAccount(a))
		if !strings.Contains(fmt.Sprint(err), "offline") {
			t.Errorf("the refresh token isn't found: %v", err)
		}
	}
	signedOutByMSALGo(t, client, accounts[0], m)
}

func onlyAccount(t *testing.T, client public.Client) public.Account {
	t.Helper()
	accounts, err := client.Accounts(t.Context())
	if err != nil || len(accounts) != 1 || accounts[0].HomeAccountID != alice {
		t.Fatal(accounts, err)
	}
	return accounts[0]
}

func signedOutByMSALGo(t *testing.T, client public.Client, account public.Account, m *memory) {
	t.Helper()
	if err := client.RemoveAccount(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(m.exported, []byte(account.HomeAccountID)) {
		t.Errorf("left behind: %s", m.exported)
	}
}
