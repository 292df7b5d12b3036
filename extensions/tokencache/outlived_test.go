package tokencache

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestReadableLeavesOutOutlivedTokens: MSAL Go takes any access token that
// matches, so each that is given must be the best for some request.
func TestReadableLeavesOutOutlivedTokens(t *testing.T) {
	t.Parallel()
	const windows = "login.windows.net"
	token := func(key, scopes string, expires int) part { return at("h", "c", scopes, key, expires).at(key) }
	old, later := token("old", "a b", 5000), token("later", "a b", 6000)
	for _, c := range []struct {
		name string
		in   []part
		left string
	}{
		{"under another key", []part{old, later}, "later"},
		{"in another order", []part{later, old}, "later"},
		{"scopes in another order and case", []part{token("old", "b A", 5000), later}, "later"},
		{"fewer scopes", []part{token("old", "b", 5000), later}, "later"},
		{"more scopes", []part{token("old", "a b c", 5000), later}, "later old"},
		{"other scopes", []part{token("old", "a c", 5000), later}, "later old"},
		{"three in a row", []part{token("1", "a", 1), token("2", "a b", 2), token("3", "a b c", 3)}, "3"},
		{"both at once: the last", []part{token("1", "a b", 5000), token("2", "a b", 5000)}, "2"},
		{"both at once: the one with more scopes", []part{token("1", "a b", 5000), token("2", "a", 5000)}, "1"},
		{"cached earlier", []part{old, later.with("cached_at", "999")}, "later old"},
		{"another person", []part{old.with("home_account_id", "i"), later}, "later old"},
		{"the application's own", []part{old.with("home_account_id", nil), later.with("home_account_id", nil)}, "later"},
		{"another client", []part{old.with("client_id", "d"), later}, "later old"},
		{"another client to MSAL Go, by letter case", []part{old.with("client_id", "C"), later}, "later old"},
		{"another tenant", []part{old.with("realm", "x"), later}, "later old"},
		{"another name of the host", []part{old.with("environment", windows), later}, "later old"},
		{"another type", []part{old.with("token_type", "pop"), later}, "later old"},
		{"bound to another key", []part{old.with("keyid", "1").with("token_type", "pop"), later.with("keyid", "2").with("token_type", "pop")}, "later old"},
		{"for an assertion", []part{old.with("user_assertion_hash", "1"), later}, "later old"},
		{"special", []part{old.with("ext_cache_key", "1"), later.with("ext_cache_key", "1")}, "later old"},
		{"a scope twice, which MSAL Go doesn't find", []part{old, token("later", "a b b", 6000)}, "later old"},
		{"unreadable", []part{old, later.with("expires_on", json.RawMessage("null"))}, "old"},
		{"without scopes", []part{old.with("target", nil), later.with("target", nil)}, "later old"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			given, err := Readable(inOrder(c.in...))
			if err != nil {
				t.Fatal(err)
			}
			var got struct{ AccessToken map[string]any }
			if err := json.Unmarshal(given, &got); err != nil {
				t.Fatal(err)
			}
			if left := strings.Join(sortedKeys(got.AccessToken), " "); left != c.left {
				t.Errorf("left are %q", left)
			}
		})
	}
}

func sortedKeys(m map[string]any) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// TestOutlivedTokensAreMissedByNobody compares with all pairs: whoever asks for
// some scopes still finds a token, and none that is left serves in vain.
func TestOutlivedTokensAreMissedByNobody(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		var all []access
		for pos := range 1 + random.IntN(8) {
			a := access{pos: pos, expires: int64(random.IntN(4)), cached: int64(random.IntN(2))}
			for _, scope := range []string{"a", "b", "c"} {
				if random.IntN(2) == 0 {
					a.scopes = append(a.scopes, scope)
				}
			}
			if len(a.scopes) > 0 {
				all = append(all, a)
			}
		}
		out := outlived(slices.Clone(all))
		left := slices.DeleteFunc(slices.Clone(all), func(a access) bool { return slices.Contains(out, a.pos) })
		for _, a := range all {
			serves := func(b access) bool { return a.pos != b.pos && b.expires >= a.expires && a.replaceableBy(b) }
			if dropped := slices.Contains(out, a.pos); dropped != slices.ContainsFunc(left, serves) {
				t.Fatalf("%+v: dropped %v, of %+v left are %+v", a, dropped, all, left)
			}
		}
	}
}

// What isn't given to MSAL Go stays, and a new token for the same takes its
// place where MSAL Go's key is its own.
func TestOutlivedTokensStayStored(t *testing.T) {
	t.Parallel()
	outlived, longer := at("h", "c", "a", "1", 5000), at("h", "c", "a b", "2", 6000)
	stored := doc(outlived, longer, rt("h", "c", "rt"), account("h"), app("c"))
	base, err := Readable(stored)
	if err != nil || bytes.Contains(base, []byte(outlived.key+`"`)) {
		t.Fatalf("given: %s, %v", base, err)
	}
	fresh := at("h", "c", "a", "3", 7000)
	for name, c := range map[string]struct{ added, want []part }{
		"another token": {[]part{at("h", "c", "x", "4", 1)}, []part{outlived, longer, at("h", "c", "x", "4", 1)}},
		"the same":      {[]part{fresh}, []part{fresh, longer}},
	} {
		same := []part{rt("h", "c", "rt"), account("h"), app("c")}
		out, _, err := Merge(base, doc(slices.Concat(c.added, []part{longer}, same)...), stored, OpSilent)
		if err != nil {
			t.Fatal(err)
		}
		if diff := diffMeaning(t, doc(slices.Concat(c.want, same)...), out); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// A person may have thousands of tokens of one client, for as many resources
// that share a scope or two.
func TestManyTokensAreComparedSoon(t *testing.T) {
	t.Parallel()
	var all []access
	for i := range 20_000 {
		scopes := []string{"openid", "profile", fmt.Sprint("s", i)}
		slices.Sort(scopes)
		all = append(all, access{pos: i, scopes: scopes, expires: int64(i)})
	}
	began := time.Now()
	if out := outlived(all); len(out) != 0 {
		t.Errorf("%d were taken for outlived", len(out))
	}
	if took := time.Since(began); took > 5*time.Second { // some milliseconds; each with each takes minutes
		t.Errorf("it took %v", took)
	}
}
