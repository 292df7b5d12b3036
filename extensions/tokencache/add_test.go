package tokencache

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// pythonEvent is an event as MSAL Python has it.
type pythonEvent struct {
	ClientID      string            `json:"client_id"`
	Scope         []string          `json:"scope"`
	TokenEndpoint string            `json:"token_endpoint"`
	Environment   string            `json:"environment"`
	GrantType     string            `json:"grant_type"`
	Response      json.RawMessage   `json:"response"`
	Data          map[string]string `json:"data"`
	Username      string            `json:"username"`
	AccountID     string            `json:"_account_id"`
	AuthorityType string            `json:"authority_type"`
	SkipAccount   bool              `json:"skip_account_creation"`
	Now           int64             `json:"now"`
}

func (e pythonEvent) event() Event {
	return Event{
		ClientID: e.ClientID, Scopes: e.Scope, TokenEndpoint: e.TokenEndpoint, Environment: e.Environment,
		GrantType: e.GrantType, Response: e.Response, Data: e.Data, Username: e.Username, AccountID: e.AccountID,
		AuthorityType: e.AuthorityType, SkipAccount: e.SkipAccount, Now: time.Unix(e.Now, 0),
	}
}

func pythonEvents(t *testing.T) map[string]pythonEvent {
	t.Helper()
	var events map[string]pythonEvent
	if err := json.Unmarshal(golden(t, "add/events.json"), &events); err != nil {
		t.Fatal(err)
	}
	return events
}

// The file python.json is what MSAL Python 1.39.0 makes of the same events.
func TestAddWritesWhatPythonWrites(t *testing.T) {
	t.Parallel()
	var want map[string]any
	if err := json.Unmarshal(golden(t, "add/python.json"), &want); err != nil {
		t.Fatal(err)
	}
	events := pythonEvents(t)
	if len(events) < 20 || len(events) != len(want) {
		t.Fatalf("%d events, %d results", len(events), len(want))
	}
	for name, e := range events {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var c TokenCache
			if err := c.Add(e.event()); err != nil {
				t.Fatal(err)
			}
			var got any
			if err := json.Unmarshal(c.Serialize(), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want[name], got); diff != "" {
				t.Errorf("(-python +go)\n%s", diff)
			}
			for _, b := range c.Serialize() {
				if b >= 0x80 {
					t.Fatal("not ASCII")
				}
			}
		})
	}
}

// Into a cache that Python wrote, Add writes over Python's entries.
func TestAddTwiceIsAddOnce(t *testing.T) {
	t.Parallel()
	var want map[string]json.RawMessage
	if err := json.Unmarshal(golden(t, "add/python.json"), &want); err != nil {
		t.Fatal(err)
	}
	for name, e := range pythonEvents(t) {
		c := cacheWith(t, want[name])
		if err := c.Add(e.event()); err != nil {
			t.Fatal(err)
		}
		if diff := diffMeaning(t, want[name], c.Serialize()); diff != "" {
			t.Errorf("%s: (-python +go)\n%s", name, diff)
		}
	}
}

func cacheWith(t testing.TB, data []byte) *TokenCache {
	t.Helper()
	c := &TokenCache{}
	if err := c.Deserialize(data); err != nil {
		t.Fatal(err)
	}
	return c
}

const addTime = 1700000000

// answer is an event for a person, with some fields of the response replaced;
// nil removes one.
func answer(home string, with map[string]any) Event {
	fields := map[string]any{
		"access_token": "AT-new", "refresh_token": "RT-new", "expires_in": 3600,
		"id_token":    "e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"`+home+`","preferred_username":"new@example.com"}`)) + ".sig",
		"client_info": base64.RawURLEncoding.EncodeToString([]byte(`{"uid":"` + home + `","utid":"t"}`)),
	}
	maps.Copy(fields, with)
	maps.DeleteFunc(fields, func(_ string, v any) bool { return v == nil })
	response, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	return Event{ClientID: "c", Scopes: []string{"b", "a"}, Environment: public, Realm: "tenant", Response: response, Now: time.Unix(addTime, 0)}
}

func TestAddTakesOverOtherLibrariesEntries(t *testing.T) {
	t.Parallel()
	home := "alice.t"
	stored := doc(
		at(home, "c", "a b", "AT-old", 5).at("go-at").with("ext_expires_on", "1"), at(home, "c", "b a", "AT-older", 5).at("dotnet-at").with("environment", "login.windows.net"),
		at(home, "c", "a", "other scopes", 5), at(home, "c", "a b", "other type", 5).at("pop").with("token_type", "pop"),
		rt(home, "c", "RT-old").with("client_info", "kept"), rt(home, "c", "RT-older").at("python--x").with("target", "x"), rt("bob.t", "c", "RT-bob"),
		idt(home, "c", 5), account(home).with("wam_account_ids", map[string]any{"c": "x"}), account(home).at("alias").with("environment", "login.windows.net"),
		app("c").with("family_id", "1"), app("c").at("alias").with("environment", "login.windows.net"),
	)
	c := cacheWith(t, stored)
	if err := c.Add(answer("alice", nil)); err != nil {
		t.Fatal(err)
	}
	want := doc(
		at(home, "c", "a b", "AT-new", addTime+3600).at("go-at").with("cached_at", fmt.Sprint(addTime)),
		at(home, "c", "a", "other scopes", 5), at(home, "c", "a b", "other type", 5).at("pop").with("token_type", "pop"),
		rt(home, "c", "RT-new").with("client_info", "kept").with("target", "a b"), rt("bob.t", "c", "RT-bob"),
		idt(home, "c", 5).with("secret", "e30."+base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"alice","preferred_username":"new@example.com"}`))+".sig"),
		account(home).with("wam_account_ids", map[string]any{"c": "x"}).with("username", "new@example.com").with("local_account_id", "alice"),
		account(home).at("alias").with("environment", "login.windows.net"),
		app("c").with("family_id", "1"), app("c").at("alias").with("environment", "login.windows.net"),
	)
	if diff := diffMeaning(t, want, c.Serialize()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestAddRefuses(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]Event{
		"nothing":                 {},
		"no time":                 {ClientID: "c", Environment: "e", Realm: "r", Response: []byte(`{"access_token":"secret"}`)},
		"no client":               withEvent(func(e *Event) { e.ClientID = "" }),
		"no environment":          withEvent(func(e *Event) { e.Environment = "" }),
		"no realm":                withEvent(func(e *Event) { e.Realm = "" }),
		"endpoint without https":  withEvent(func(e *Event) { e.Realm, e.TokenEndpoint = "", "http://secret/t" }),
		"endpoint without tenant": withEvent(func(e *Event) { e.Realm, e.TokenEndpoint = "", "https://host/" }),
		"endpoint is no URL":      withEvent(func(e *Event) { e.Realm, e.TokenEndpoint = "", ":secret" }),
		"no response":             withEvent(func(e *Event) { e.Response = nil }),
		"list":                    withEvent(func(e *Event) { e.Response = []byte(`["secret"]`) }),
		"torn":                    withEvent(func(e *Event) { e.Response = []byte(`{"access_token":"secret"`) }),
		"trailing":                withEvent(func(e *Event) { e.Response = []byte(`{"access_token":"secret"}x`) }),
		"name used twice":         withEvent(func(e *Event) { e.Response = []byte(`{"access_token":"secret","access_token":"x"}`) }),
		"error answer":            withEvent(func(e *Event) { e.Response = []byte(`{"error":"invalid_grant","error_description":"secret"}`) }),
		"lifetime in words":       answer("h", map[string]any{"expires_in": "secret"}),
		"refresh in words":        answer("h", map[string]any{"refresh_in": "secret"}),
		"extension in words":      answer("h", map[string]any{"ext_expires_in": "secret"}),
		"expiry in words":         answer("h", map[string]any{"expires_in": nil, "expires_on": "secret"}),
		"endless":                 answer("h", map[string]any{"expires_in": 1e300}),
		"not a number":            answer("h", map[string]any{"expires_in": "NaN"}),
		"client_info":             answer("h", map[string]any{"client_info": "secret!"}),
		"client_info is a list":   answer("h", map[string]any{"client_info": "W10"}),
		"ID token":                answer("h", map[string]any{"id_token": "secret"}),
		"ID token of rubbish":     answer("h", map[string]any{"id_token": "a.secret!.c"}),
		"nobody":                  answer("h", map[string]any{"client_info": nil, "id_token": "e30.e30.x"}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := cacheWith(t, doc(signIn("alice", "c", "1")...))
			before := string(c.Serialize())
			err := c.Add(e)
			if !errors.Is(err, ErrInvalid) || strings.Contains(fmt.Sprint(err), "secret") {
				t.Errorf("error %v", err)
			}
			if string(c.Serialize()) != before || c.HasStateChanged() {
				t.Error("the cache changed")
			}
		})
	}
}

func withEvent(change func(*Event)) Event {
	e := answer("h", nil)
	change(&e)
	return e
}

func TestAddBesideAnotherThingWithTheKey(t *testing.T) {
	t.Parallel()
	home := "alice.t"
	key := at(home, "c", "a b", "", 0).key
	c := cacheWith(t, doc(at(home, "c", "a b", "pop", 5).with("token_type", "pop"), account(home).written("null")))
	if err := c.Add(answer("alice", nil)); err != nil {
		t.Fatal(err)
	}
	text := parseText(c.Serialize())
	if secretOf(text["AccessToken"][key]) != "pop" || secretOf(text["AccessToken"][key+"-"]) != "AT-new" {
		t.Errorf("got %s", c.Serialize())
	}
	if a := c.Accounts(); len(a) != 1 || a[0].Username != "new@example.com" {
		t.Errorf("what nobody can read is in the way: %v", a)
	}
}
