//go:build interop

package interop_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/msal/msaltest"
)

// dotnetCache has what MSAL.NET writes: its keys, its order of fields, its way
// to escape JSON, both names of the extended expiry, a proof-of-possession
// token, one with cache extensions, a token of a family, account ids of the
// Windows broker, and fields of a version that doesn't exist yet. It was made
// by hand, after CacheSerializationContract and the cache items in the source
// of MSAL.NET 4.8x (July 2026).
const dotnetCache = "../../extensions/tokencache/testdata/msal-dotnet.json"

// dotnetCache counts from this second; its tokens live an hour.
const dotnetTime = 1700000000

// dotnet stores what MSAL.NET would have stored at a time. Token is alice's
// refresh token.
func (p *place) dotnet(at time.Time, token string) {
	p.Helper()
	data, err := os.ReadFile(dotnetCache)
	if err != nil {
		p.Fatal(err)
	}
	text := strings.ReplaceAll(string(data), "RT-alice", token)
	for _, after := range []int64{0, 3000, 3600, 7200} {
		text = strings.ReplaceAll(text, fmt.Sprintf(`"%d"`, dotnetTime+after), fmt.Sprintf(`"%d"`, at.Unix()+after))
	}
	if err := os.WriteFile(p.path, []byte(text), 0o600); err != nil {
		p.Fatal(err)
	}
}

func TestDotNetIsSilentHere(t *testing.T) {
	t.Parallel()
	p := newPlace(t, tenantID, nil)
	p.dotnet(time.Now().Add(-time.Minute), "RT-alice")
	ours := p.ours("dotnet")
	if diff := cmp.Diff([]string{alice, bob}, ours.accounts()); diff != "" {
		t.Error(diff)
	}
	for user, token := range map[string]string{alice: "AT-alice", bob: "AT-bob"} {
		if got := ours.silent(user); got != token {
			t.Errorf("%s: got %q", user, got)
		}
	}
	if got := ours.application(); got != "AT-app" {
		t.Errorf("the application's: got %q", got)
	}
	if n := p.srv.Count(msaltest.KindToken); n > 0 {
		t.Errorf("%d token requests", n)
	}
	if got := ours.tokenFor("api://exchange/.default"); got == "AT-app-ext" {
		t.Error("a token that was issued for one agent, for whoever asks")
	}
}

// TestDotNetStaysAsItIs where nothing but a cached token was asked for.
func TestDotNetStaysAsItIs(t *testing.T) {
	t.Parallel()
	p := newPlace(t, tenantID, nil)
	p.dotnet(time.Now().Add(-time.Minute), "RT-alice")
	before := string(p.stored())
	ours := p.ours("dotnet")
	ours.accounts()
	ours.silent(alice)
	if diff := cmp.Diff(before, string(p.stored())); diff != "" {
		t.Error("reading changed it:", diff)
	}
}

// TestDotNetRefreshesHere: the refreshed tokens stand under MSAL.NET's keys,
// where it looks for them; all else is as it was, byte for byte.
func TestDotNetRefreshesHere(t *testing.T) {
	t.Parallel()
	p := newPlace(t, tenantID, &msaltest.Options{SingleUseRefreshTokens: true})
	p.dotnet(time.Now().Add(-3590*time.Second), p.refreshToken(alice))
	before := p.entries()
	ours := p.ours("dotnet")
	for range 2 {
		if got := ours.silent(alice); got == "" || got == "AT-alice" {
			t.Errorf("got %q", got)
		}
	}
	if n := p.srv.Count(msaltest.KindTokenRefresh); n != 1 {
		t.Errorf("%d refresh requests", n)
	}
	after := p.entries()
	if n := len(after["RefreshToken"]); n != len(before["RefreshToken"]) {
		t.Errorf("%d refresh tokens of two people", n)
	}
	person := msaltest.HomeAccountID(alice) + "-login.windows.net"
	rotated := map[string]string{
		"AccessToken":  person + "-accesstoken-client-" + tenantID + "-offline_access openid profile user.read",
		"RefreshToken": person + "-refreshtoken-client--",
		"IdToken":      person + "-idtoken-client-" + tenantID + "-",
	}
	for section, entries := range before {
		for key, entry := range entries {
			same := string(after[section][key]) == string(entry)
			if same == (rotated[section] == key) {
				t.Errorf("%s %s is the same: %v\nwas %s\nis  %s", section, key, same, entry, after[section][key])
			}
		}
	}
	for _, field := range []string{`"client_info":`, `"client_id":"client"`, `"environment":"login.windows.net"`} {
		if token := after["RefreshToken"][rotated["RefreshToken"]]; !strings.Contains(string(token), field) {
			t.Errorf("the refresh token has no %s: %s", field, token)
		}
	}
}

// TestDotNetSignsOutHere: all of alice goes, also the tokens that only MSAL.NET
// can use. What is bob's and the application's stays as it was.
func TestDotNetSignsOutHere(t *testing.T) {
	t.Parallel()
	p := newPlace(t, tenantID, nil)
	p.dotnet(time.Now().Add(-time.Minute), "RT-alice")
	before := p.entries()
	p.ours("dotnet").signOut(alice)
	p.nothingLeftOf(alice)
	after := p.entries()
	for section, entries := range before {
		for key, entry := range entries {
			if !strings.Contains(string(entry), msaltest.HomeAccountID(alice)) && string(after[section][key]) != string(entry) {
				t.Errorf("%s %s: %s", section, key, cmp.Diff(string(entry), string(after[section][key])))
			}
		}
	}
	if got := p.ours("dotnet").silent(bob); got != "AT-bob" {
		t.Errorf("bob's: got %q", got)
	}
}

// TestUnknownStays: what a library doesn't know is still there after it signed
// somebody in. But Node drops tokens with cache extensions, and MSAL4J drops
// whatever it doesn't know, also the type of a proof-of-possession token.
func TestUnknownStays(t *testing.T) {
	const extensions = `"ext":{`
	lost := map[string][]string{
		node: {extensions},
		java: {`"kept":[`, `"from_a_later_version":{"a":`, `"wam_account_ids":{`, `"ext_expires_on":`, `"token_type":"pop"`, extensions},
	}
	for _, peer := range append(cachePeers(t), cachePeer{name: "ours"}) {
		t.Run(peer.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, tenantID, nil)
			p.dotnet(time.Now().Add(-time.Minute), "RT-alice")
			if peer.name == "ours" {
				p.ours("dotnet").signIn(carol)
			} else {
				p.start(peer).signIn(carol)
			}
			var dense bytes.Buffer
			if err := json.Compact(&dense, p.stored()); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, what := range lost[java] {
				if !bytes.Contains(dense.Bytes(), []byte(what)) {
					got = append(got, what)
				}
			}
			if diff := cmp.Diff(lost[peer.name], got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// refreshToken is a genuine one.
func (p *place) refreshToken(user string) string {
	p.Helper()
	elsewhere := &place{p.T, p.srv, p.path + ".elsewhere", p.authority}
	elsewhere.plainApp().signIn(user)
	for _, raw := range elsewhere.entries()["RefreshToken"] {
		var token struct{ Secret string }
		if err := json.Unmarshal(raw, &token); err != nil {
			p.Fatal(err)
		}
		return token.Secret
	}
	p.Fatal("the fake issued no refresh token")
	return ""
}
