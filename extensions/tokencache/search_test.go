package tokencache

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func secrets(found []Entry) []string {
	var all []string
	for _, e := range found {
		all = append(all, e.Secret())
	}
	return all
}

func TestSearchAccessTokens(t *testing.T) {
	t.Parallel()
	c := cacheWith(t, ordered("AccessToken",
		at("alice", "c", "User.Read Mail.Read openid", "1", 500),
		at("alice", "c", "mail.read", "2", 100),
		at("alice", "d", "User.Read", "3", 500).with("realm", "other"),
		at("alice", "c", "User.Read", "4", 500).at("dotnet").with("environment", "login.windows.net"),
		at("bob", "c", "User.Read", "5", 500),
		at("", "c", ".default", "6", 500).with("home_account_id", json.RawMessage("null")),
		at("", "c", ".default", "7", 500).at("go app").with("home_account_id", nil),
		at("", "c", ".default", "8", 500).at("ext").with("home_account_id", nil).with("ext_cache_key", "hash"),
		at("alice", "c", "User.Read", "9", 500).at("null time").with("expires_on", json.RawMessage("null")),
		at("alice", "c", "User.Read", "10", 500).at("number").with("expires_on", 500),
		at("x", "c", "User.Read", "", 0).at("nobody").written("null"),
		at("x", "c", "User.Read", "", 0).at("list").written(`["alice"]`),
	))
	for _, q := range []struct {
		name string
		Query
		want string
	}{
		{"everything", Query{}, "1 2 3 4 5 6 7 9 10"},
		{"a person", Query{HomeAccountID: "alice"}, "1 2 3 4 9 10"},
		{"letter case", Query{HomeAccountID: "ALICE", ClientID: "C", Realm: "Tenant", Environment: "LOGIN.microsoftonline.com"}, "1 2 9 10"},
		{"a scope among others", Query{HomeAccountID: "alice", Scopes: []string{"mail.read"}}, "1 2"},
		{"scopes in any order", Query{HomeAccountID: "alice", Scopes: []string{"openid", "user.read"}}, "1"},
		{"scopes in one text", Query{HomeAccountID: "alice", Scopes: []string{"openid user.read", "openid"}}, "1"},
		{"a scope that is missing", Query{HomeAccountID: "alice", Scopes: []string{"user.read", "files.read"}}, ""},
		{"half a scope", Query{HomeAccountID: "alice", Scopes: []string{"mail"}}, ""},
		{"scopes alone", Query{Scopes: []string{"user.read"}}, "1 3 4 5 9 10"},
		{"no scope", Query{HomeAccountID: "alice", Scopes: []string{" "}}, "1 2 3 4 9 10"},
		{"environment as written", Query{HomeAccountID: "alice", Environment: "login.windows.net"}, "4"},
		{"environment and its aliases", Query{HomeAccountID: "alice", Environment: "login.windows.net", Aliases: true}, "1 2 3 4 9 10"},
		{"aliases without an environment", Query{HomeAccountID: "alice", Aliases: true}, "1 2 3 4 9 10"},
		{"unknown environment", Query{Environment: "login.example", Aliases: true}, ""},
		{"a realm", Query{Realm: "other"}, "3"},
		{"not expired", Query{HomeAccountID: "alice", Now: time.Unix(101, 0)}, "1 3 4 10"},
		{"expiring now", Query{HomeAccountID: "alice", Now: time.Unix(100, 0)}, "1 2 3 4 10"},
		{"all expired", Query{Now: time.Unix(501, 0)}, ""},
		{"no expiry filter before 1970", Query{Realm: "other", Now: time.Unix(-5, 0)}, "3"},
		{"of the application", Query{ClientID: "c", Fields: map[string]string{"home_account_id": ""}}, "6 7"},
		{"of the application, special", Query{ClientID: "c", Fields: map[string]string{"ext_cache_key": "hash"}}, "8"},
		{"none special", Query{ClientID: "c", Fields: map[string]string{"ext_cache_key": "", "home_account_id": ""}}, "6 7"},
		{"fields are exact", Query{Fields: map[string]string{"home_account_id": "Bob"}}, ""},
		{"a field", Query{Fields: map[string]string{"secret": "5"}}, "5"},
		{"a number", Query{Fields: map[string]string{"expires_on": "500"}, HomeAccountID: "alice"}, "1 3 4 10"},
		{"a field twice, at odds", Query{HomeAccountID: "alice", Fields: map[string]string{"home_account_id": "bob"}}, ""},
		{"a field nobody has", Query{Fields: map[string]string{"é": "x"}}, ""},
		{"no such section", Query{Section: 9}, ""},
		{"no such section either", Query{Section: -1}, ""},
	} {
		t.Run(q.name, func(t *testing.T) {
			got := c.Search(q.Query)
			if diff := cmp.Diff(q.want, strings.Join(secrets(got), " ")); diff != "" {
				t.Error(diff)
			}
			if again := c.Search(q.Query); !slices.Equal(secrets(again), secrets(got)) {
				t.Errorf("the second time: %v", secrets(again))
			}
		})
	}
	if c.HasStateChanged() {
		t.Error("searching changed the cache")
	}
}

// ordered writes entries in the order given, where doc sorts them.
func ordered(section string, parts ...part) []byte {
	var entries []string
	for _, p := range parts {
		raw := []byte(p.raw)
		if p.raw == "" {
			var err error
			if raw, err = json.Marshal(p.fields); err != nil {
				panic(err)
			}
		}
		entries = append(entries, fmt.Sprintf("%q:%s", p.key, raw))
	}
	return []byte(`{"` + section + `":{` + strings.Join(entries, ",") + `}}`)
}

func TestSearchOtherSections(t *testing.T) {
	t.Parallel()
	c := cacheWith(t, doc(slices.Concat(signIn("alice", "c", "1"), signIn("bob", "c", "2"), []part{
		rt("alice", "1", "family").with("family_id", "1"), app("d").with("family_id", "1"),
	})...))
	for _, q := range []struct {
		name string
		Query
		want []string
	}{
		{"an account by name", Query{Section: Accounts, Username: "Alice@Example.com"}, []string{"alice-" + public + "-tenant"}},
		{"an account by its local id", Query{Section: Accounts, Fields: map[string]string{"local_account_id": "local-bob"}}, []string{"bob-" + public + "-tenant"}},
		{"an account has no scopes", Query{Section: Accounts, Username: "alice@example.com", Scopes: []string{"x"}}, nil},
		{"a refresh token", Query{Section: RefreshTokens, HomeAccountID: "alice", ClientID: "c"}, []string{"alice-" + public + "-refreshtoken-c"}},
		{"a family's", Query{Section: RefreshTokens, HomeAccountID: "alice", FamilyID: "1"}, []string{"alice-" + public + "-refreshtoken-1"}},
		{"an application's family", Query{Section: AppMetadata, FamilyID: "1"}, []string{"appmetadata-" + public + "-d"}},
		{"an ID token, whatever the time", Query{Section: IDTokens, HomeAccountID: "bob", Now: time.Now()}, []string{"bob-" + public + "-idtoken-c-tenant"}},
		{"a section by itself", Query{Section: AppMetadata}, []string{"appmetadata-" + public + "-c", "appmetadata-" + public + "-d"}},
	} {
		var keys []string
		for _, e := range c.Search(q.Query) {
			keys = append(keys, e.Key())
			if e.Section() != q.Section {
				t.Errorf("%s: %v", q.name, e.Section())
			}
		}
		if diff := cmp.Diff(q.want, keys); diff != "" {
			t.Errorf("%s: %s", q.name, diff)
		}
	}
}

// Whatever is asked, the lookup finds what going through all entries finds.
func TestSearchFindsWhatAScanFinds(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		w := &world{Rand: rand.New(rand.NewPCG(seed, 11)), serial: 100}
		c := &TokenCache{}
		for range 6 {
			if err := c.Deserialize(w.stir(c.Serialize(), "a", "b", "c")); err != nil {
				t.Fatal(err)
			}
			for range 30 {
				q := w.query()
				if got, want := c.Search(q), c.scan(q); !slices.EqualFunc(got, want, func(a, b Entry) bool { return a.Key() == b.Key() }) {
					t.Fatalf("seed %d: %+v found %d, a scan %d", seed, q, len(got), len(want))
				}
				if found := c.Search(Query{Section: q.Section}); len(found) > 0 && w.IntN(10) == 0 {
					c.Remove(found[w.IntN(len(found))])
				}
			}
		}
	}
}

func (w *world) query() Query {
	q := Query{Section: Section(w.IntN(int(kinds))), Fields: map[string]string{}}
	for _, choose := range []func(){
		func() { q.HomeAccountID = w.pick("a", "b", "C", "x") },
		func() { q.ClientID = w.pick("c", "d", "f") },
		func() {
			q.Environment, q.Aliases = w.pick(public, "login.windows.net", "LOGIN.windows.net"), w.IntN(2) == 0
		},
		func() { q.Realm = w.pick("tenant", "r", "s") },
		func() { q.FamilyID = "1" },
		func() { q.Scopes = []string{w.pick("a", "b", "a b", "b b", "z")} },
		func() { q.Username = w.pick("a@example.com", "B@example.com") },
		func() { q.Fields["client_id"] = w.pick("c", "", "d") },
		func() { q.Now = time.Unix(w.Int64N(1000)+1, 0) },
	} {
		if w.IntN(3) == 0 {
			choose()
		}
	}
	return q
}

// scan is Search as the documentation of Query has it.
func (c *TokenCache) scan(q Query) []Entry {
	var found []Entry
	fold := func(want, got string) bool { return want == "" || strings.EqualFold(want, got) }
	for _, e := range c.sections[q.Section].all {
		var fields map[string]any
		if json.Unmarshal(e.raw, &fields) != nil || fields == nil {
			continue
		}
		of := func(name string) string {
			if fields[name] == nil {
				return ""
			}
			return fmt.Sprint(fields[name])
		}
		env, wantEnv := of("environment"), q.Environment
		if q.Aliases && wantEnv != "" {
			env, wantEnv = cloud(env), cloud(wantEnv)
		}
		ok := fold(q.HomeAccountID, of("home_account_id")) && fold(q.ClientID, of("client_id")) && fold(wantEnv, env) &&
			fold(q.Realm, of("realm")) && fold(q.FamilyID, of("family_id")) && fold(q.Username, of("username"))
		for name, want := range q.Fields {
			ok = ok && want == of(name)
		}
		for _, scope := range strings.Fields(strings.Join(q.Scopes, " ")) {
			ok = ok && slices.Contains(strings.Fields(of("target")), scope)
		}
		expired := q.Section == AccessTokens && !q.Now.IsZero() && seconds([]byte(of("expires_on"))) < q.Now.Unix()
		if ok && !expired {
			found = append(found, e.found(q.Section))
		}
	}
	return found
}

func TestSearchSeesChanges(t *testing.T) {
	t.Parallel()
	c := cacheWith(t, doc(signIn("alice.t", "c", "1")...))
	q := Query{Section: RefreshTokens, HomeAccountID: "alice.t"}
	before := c.Search(q)
	if err := c.Add(answer("alice", nil)); err != nil {
		t.Fatal(err)
	}
	if got := secrets(c.Search(q)); !slices.Equal(got, []string{"RT-new"}) {
		t.Errorf("after Add: %v", got)
	}
	if before[0].Secret() != "rt-1" {
		t.Error("an entry that was found changed")
	}
	c.RemoveAccount(Account{HomeAccountID: "alice.t"}, "")
	if got := c.Search(q); got != nil {
		t.Errorf("after the sign-out: %v", got)
	}
	if err := c.Deserialize(doc(signIn("alice.t", "c", "3")...)); err != nil {
		t.Fatal(err)
	}
	if got := secrets(c.Search(q)); !slices.Equal(got, []string{"rt-3"}) {
		t.Errorf("after Deserialize: %v", got)
	}
}

// However a program asks, the memory of its lookups is bounded.
func TestLookupsAreBounded(t *testing.T) {
	t.Parallel()
	c := cacheWith(t, doc(signIn("alice", "c", "1")...))
	for bits := range 128 {
		q := Query{Aliases: bits&1 != 0}
		for i, p := range []*string{&q.HomeAccountID, &q.ClientID, &q.Realm, &q.FamilyID, &q.Username, &q.Environment} {
			if bits&(2<<i) != 0 {
				*p = "x"
			}
		}
		c.Search(q)
	}
	if n := len(c.sections[AccessTokens].lookups); n == 0 || n > maxLookups {
		t.Errorf("%d lookups", n)
	}
}

func BenchmarkSearch(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 10000} {
		c := &TokenCache{}
		if err := c.Deserialize(large(n)); err != nil {
			b.Fatal(err)
		}
		for name, q := range map[string]Query{
			"all named": {HomeAccountID: "home-7", Environment: public, ClientID: "c", Realm: "tenant", Scopes: []string{"scope-7", "user.read"}},
			"account":   {Section: Accounts, HomeAccountID: "home-7"},
			"aliases":   {HomeAccountID: "home-7", Environment: "login.windows.net", Aliases: true, ClientID: "c", Now: time.Unix(1, 0)},
		} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if len(c.Search(q)) != 1 {
						b.Fatal("not found")
					}
				}
			})
		}
	}
}

func large(n int) []byte {
	var parts []part
	for i := range n {
		home := fmt.Sprint("home-", i)
		parts = append(parts, at(home, "c", fmt.Sprint("User.Read openid scope-", i), strings.Repeat("x", 1200), 5000), account(home))
	}
	return doc(parts...)
}
