package tokencache

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDeserializeRefuses(t *testing.T) {
	t.Parallel()
	const secret = "very-secret"
	for _, c := range []struct{ name, in, reason string }{
		{"null", `null`, reasonNotObject},
		{"array", ` [1]`, reasonNotObject},
		{"torn", `{"Account":{"very-secret":{"a":1}`, reasonTruncated},
		{"zeros", "\x00\x00\x00", reasonSyntax},
		{"trailing object", `{}{"very-secret":1}`, reasonTrailing},
		{"trailing garbage", `{} very-secret`, reasonTrailing},
		{"trailing brace", `{}}`, reasonTrailing},
		{"duplicate section", `{"Account":{},"Account":{}}`, reasonDuplicate},
		{"duplicate key", `{"Account":{"very-secret":{},"very-secret":{}}}`, reasonDuplicate},
		{"duplicate field", `{"Account":{"k":{"very-secret":1,"very-secret":2}}}`, reasonDuplicate},
		{"duplicate by escape", `{"Account":{"a":1,"\u0061":2}}`, reasonDuplicate},
		{"no value", `{"Account":{"very-secret":}}`, reasonSyntax},
		{"no comma", `{"very-secret":1 "b":2}`, reasonSyntax},
		{"no colon", `{"very-secret" 1}`, reasonSyntax},
		{"comma at end", `{"Account":{"a":1,}}`, reasonSyntax},
		{"two byte order marks", "\ufeff\ufeff{}", reasonSyntax},
		{"UTF-16", "\xff\xfe{\x00}\x00", reasonEncoding},
		{"Latin-1", "{\"Account\":{\"very-secret\":\"\xfc\"}}", reasonEncoding},
		{"section is a list", `{"Account":["very-secret"]}`, "section Account is not an object"},
		{"section is text", `{"Account":"very-secret"}`, "section Account is not an object"},
		{"too deep", `{"x":` + strings.Repeat("[", 20000), reasonSyntax},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var cache TokenCache
			if err := cache.Deserialize(doc(account("kept"))); err != nil {
				t.Fatal(err)
			}
			err := cache.Deserialize([]byte(c.in))
			e, ok := errors.AsType[*SyntaxError](err)
			if !ok || !errors.Is(err, ErrMalformed) || e.Reason != c.reason || e.Offset < 0 || e.Offset > int64(len(c.in)) {
				t.Errorf("error %v, want %q", err, c.reason)
			}
			if strings.Contains(fmt.Sprint(err), secret) {
				t.Errorf("error quotes the input: %v", err)
			}
			if len(cache.Accounts()) != 1 {
				t.Error("the cache changed")
			}
		})
	}
}

func TestSerializeIsWhatWasRead(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"empty object":   `{}`,
		"white space":    " {\n} \n",
		"indented":       "{\n    \"Account\": {\n        \"k\": {\n            \"a\" : 1\n        }\n    }\n}\n",
		"null section":   `{"Account":null}`,
		"unknown":        `{"X":[1,{"y":null}],"Account":{},"Z":"ü\u00fc"}`,
		"poison":         `{"Account":{"a":null,"b":{},"c":[],"":""}}`,
		"half surrogate": `{"Account":{"a":{"name":"cut \ud83d"}}}`,
		"escaped names":  `{"\u0041ccount":{"\"\\\u00fc":{"home_account_id":"h"}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var c TokenCache
			if err := c.Deserialize([]byte(in)); err != nil {
				t.Fatal(err)
			}
			if got := string(c.Serialize()); got != in {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestEmptyCaches(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"", " \r\n\t", "\ufeff", "{}", "\ufeff{}"} {
		var c TokenCache
		if err := c.Deserialize([]byte(in)); err != nil {
			t.Errorf("%q: %v", in, err)
		}
		if got := string(c.Serialize()); got != "{}" || len(c.Accounts()) != 0 {
			t.Errorf("%q: %q, %v", in, got, c.Accounts())
		}
	}
	var zero TokenCache
	if string(zero.Serialize()) != "{}" || zero.Accounts() != nil || zero.RemoveAccount(Account{HomeAccountID: "h"}, "") != 0 {
		t.Error("the zero value isn't an empty cache")
	}
}

func TestSerializeIsTheCallersOwn(t *testing.T) {
	t.Parallel()
	var c TokenCache
	if err := c.Deserialize(doc(account("h"))); err != nil {
		t.Fatal(err)
	}
	clear(c.Serialize())
	if got := c.Serialize(); string(got) != string(doc(account("h"))) {
		t.Errorf("changed from outside: %q", got)
	}
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	in := doc(
		account("bob"), account("alice").with("name", "Alice Z"), account("alice").at("2").with("realm", "a-tenant"),
		account("x").at("3").with("home_account_id", nil), account("x").at("4").written("null"),
		account("x").at("5").with("home_account_id", 7),
	)
	want := []Account{
		{HomeAccountID: "alice", Environment: public, Realm: "a-tenant", LocalAccountID: "local-alice", Username: "alice@example.com", AuthorityType: "MSSTS"},
		{HomeAccountID: "alice", Environment: public, Realm: "tenant", LocalAccountID: "local-alice", Username: "alice@example.com", AuthorityType: "MSSTS", Name: "Alice Z"},
		{HomeAccountID: "bob", Environment: public, Realm: "tenant", LocalAccountID: "local-bob", Username: "bob@example.com", AuthorityType: "MSSTS"},
	}
	var c TokenCache
	if err := c.Deserialize(in); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, c.Accounts()); diff != "" {
		t.Error(diff)
	}
}

func TestRemoveAccount(t *testing.T) {
	t.Parallel()
	rest := []part{app("c"), rt("alice", "other", "o"), account("bob"), at("", "c", "s", "app", 1), account("alice").at("us").with("environment", "login.microsoftonline.us")}
	gone := []part{
		at("alice", "c", "s", "x", 1), at("alice", "other", "s", "x", 1), rt("alice", "c", "1"), rt("alice", "1", "f").with("family_id", "1"),
		rt("alice", "c", "2").at("alias").with("environment", "sts.windows.net"), idt("alice", "c", 1), account("ALICE").at("upper"), account("alice"),
	}
	for _, c := range []struct {
		name, client, env string
		removed           int
		left              []part
	}{
		{"of one client", "C", "login.windows.net", len(gone), rest},
		{"of all clients", "", public, len(gone) + 1, []part{rest[0], rest[2], rest[3], rest[4]}},
		{"in all clouds", "", "", len(gone) + 2, []part{rest[0], rest[2], rest[3]}},
		{"in a cloud without", "c", "login.microsoftonline.de", 0, slices.Concat(rest, gone)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var cache TokenCache
			if err := cache.Deserialize(doc(slices.Concat(rest, gone)...)); err != nil {
				t.Fatal(err)
			}
			if cache.RemoveAccount(Account{Environment: c.env}, "") != 0 {
				t.Error("no home account: app tokens removed")
			}
			if n := cache.RemoveAccount(Account{HomeAccountID: "alice", Environment: c.env}, c.client); n != c.removed {
				t.Errorf("removed %d, want %d", n, c.removed)
			}
			if diff := diffMeaning(t, doc(c.left...), cache.Serialize()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestChangesLeaveOtherBytesAlone(t *testing.T) {
	t.Parallel()
	in := "{\n  \"X\" : 1,\n  \"Account\" : {\n    \"a\" : {\"home_account_id\":\"a\"} ,\n    \"b\" : { \"n\":\"ü\", \"home_account_id\":\"b\" },\n    \"c\":null\n  }\n}\n"
	want := "{\n  \"X\" : 1,\n  \"Account\" : {\n    \"b\" : { \"n\":\"ü\", \"home_account_id\":\"b\" },\n    \"c\":null\n  }\n}"
	var c TokenCache
	if err := c.Deserialize([]byte(in)); err != nil {
		t.Fatal(err)
	}
	c.RemoveAccount(Account{HomeAccountID: "a"}, "")
	if got := string(c.Serialize()); got != want {
		t.Errorf("got %s", got)
	}
	c.RemoveAccount(Account{HomeAccountID: "b"}, "")
	if got := c.Serialize(); !json.Valid(got) {
		t.Errorf("got %s", got)
	}
}

func TestCloud(t *testing.T) {
	t.Parallel()
	for _, hosts := range environments {
		for _, host := range hosts {
			if cloud(strings.ToUpper(host)) != cloud(hosts[0]) {
				t.Errorf("%s is apart", host)
			}
		}
	}
	if cloud("Login.Example:8443") != "login.example:8443" || cloud("login.microsoftonline.us") == cloud(public) {
		t.Error("strangers are put together")
	}
}

func TestAppendSerialized(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*TokenCache){
		"empty":     func(c *TokenCache) { *c = TokenCache{} },
		"as read":   func(*TokenCache) {},
		"an object": func(c *TokenCache) { c.RemoveAccount(c.Accounts()[0], "") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var c TokenCache
			if err := c.Deserialize(doc(signIn("alice", "c", "1")...)); err != nil {
				t.Fatal(err)
			}
			change(&c)
			want := "{" + string(c.Serialize())
			for _, dst := range [][]byte{[]byte("{"), append(make([]byte, 0, 1<<16), '{')} {
				if got := string(c.AppendSerialized(dst)); got != want || c.HasStateChanged() {
					t.Errorf("got %s, want %s", got, want)
				}
			}
		})
	}
}
