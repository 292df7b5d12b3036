package tokencache

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"
)

// checkRewritten checks what holds for a cache after any change.
func checkRewritten(t *testing.T, c *TokenCache) {
	t.Helper()
	out := c.Serialize()
	var again TokenCache
	if err := again.Deserialize(out); err != nil || !json.Valid(out) || len(out) == 0 {
		t.Errorf("written so that it can't be read: %v, %q", err, out)
	}
}

func FuzzAdd(f *testing.F) {
	responses := []string{
		`{"access_token":"a","expires_in":"3599","refresh_in":1,"foci":"1"}`, `{"refresh_token":"r","client_info":"eyJ1aWQiOiJ1IiwidXRpZCI6InQifQ"}`,
		`{"id_token":"e30.eyJzdWIiOiJzIn0.x","access_token":"\ud83d"}`, `{"access_token":"a","expires_in":1e20}`, `{`, ` {"access_token":7,"id_token_claims":{"sub":""}} `,
	}
	for i, s := range seeds() {
		f.Add(s, []byte(responses[i%len(responses)]), "c", "scope b", "https://login.windows.net/tenant/x", int64(i)*1000+1)
	}
	f.Fuzz(func(t *testing.T, stored, response []byte, client, scopes, endpoint string, now int64) {
		var c TokenCache
		if err := c.Deserialize(stored); err != nil {
			return
		}
		e := Event{ClientID: client, Scopes: []string{scopes}, TokenEndpoint: endpoint, Response: response, Now: time.Unix(now, 0), Data: map[string]string{"key_id": scopes, client: endpoint}}
		if err := c.Add(e); err != nil {
			if !errors.Is(err, ErrInvalid) || c.HasStateChanged() {
				t.Errorf("%v, changed %v", err, c.HasStateChanged())
			}
			return
		}
		checkRewritten(t, &c)
		once := c.Serialize()
		if err := c.Add(e); err != nil || !bytes.Equal(once, c.Serialize()) {
			t.Errorf("added again: %v\n%s\n%s", err, once, c.Serialize())
		}
	})
}

func FuzzSearch(f *testing.F) {
	for i, s := range seeds() {
		f.Add(s, uint8(i), "alice", "C", "login.windows.net", "user.read", "home_account_id", "", i%2 == 0, int64(i))
	}
	f.Fuzz(func(t *testing.T, stored []byte, section uint8, home, client, env, scopes, name, value string, aliases bool, now int64) {
		var c TokenCache
		if err := c.Deserialize(stored); err != nil {
			return
		}
		q := Query{
			Section: Section(section % 6), HomeAccountID: home, ClientID: client, Environment: env, Aliases: aliases,
			Scopes: []string{scopes}, Fields: map[string]string{name: value}, Now: time.Unix(now, 0),
		}
		found := c.Search(q)
		if c.HasStateChanged() || c.dirty() {
			t.Error("searching changed the cache")
		}
		if q.Section == kinds {
			return
		}
		var want []string
		s := q.search()
		for _, e := range c.sections[q.Section].all {
			if s.matches(e.raw) {
				want = append(want, e.key)
			}
		}
		if got := keysOf(found); !slices.Equal(got, want) {
			t.Errorf("found %q, going through all %q", got, want)
		}
	})
}

func keysOf(found []Entry) []string {
	var keys []string
	for _, e := range found {
		keys = append(keys, e.Key())
	}
	return keys
}

func FuzzModify(f *testing.F) {
	for i, s := range seeds() {
		f.Add(s, uint8(i), []string{"secret", "expires_on", "x", "", "AdditionalFields"}[i%5], []byte([]string{`"x"`, `7`, `{"a":[1]}`, `null`, ` 1,2 `}[i%5]))
	}
	f.Fuzz(func(t *testing.T, stored []byte, n uint8, name string, value []byte) {
		var c TokenCache
		if err := c.Deserialize(stored); err != nil {
			return
		}
		found := c.Search(Query{Section: Section(n % uint8(kinds))})
		for i, e := range found {
			v := any(json.RawMessage(value))
			if i%2 == 1 {
				v = string(value)
			}
			got, err := c.Modify(e, map[string]any{name: v})
			switch {
			case err != nil && !errors.Is(err, ErrInvalid):
				t.Errorf("%v", err)
			case err == nil && readable(&entry{key: e.Key(), raw: e.Raw()}) && !readable(&entry{key: e.Key(), raw: got.Raw()}):
				t.Errorf("MSAL can't read %s any more", got.Raw())
			}
		}
		checkRewritten(t, &c)
		for _, e := range c.Search(Query{Section: Section(n % uint8(kinds))}) {
			if !c.Remove(e) {
				t.Errorf("%s isn't removed", e.Key())
			}
		}
		checkRewritten(t, &c)
	})
}
