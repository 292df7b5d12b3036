package tokencache

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

const modifiable = `{"X": 1, "RefreshToken": { "a" : {"home_account_id":"h", "environment":"e", "client_id":"c", "secret":"old", "u": [1, "ü"]} , "b":{"n":"ü"}}}`

func TestModify(t *testing.T) {
	t.Parallel()
	c := cacheWith(t, []byte(modifiable))
	e := c.Search(Query{Section: RefreshTokens, HomeAccountID: "h"})[0]
	got, err := c.Modify(e, map[string]any{
		"secret": "né\"w", "last_modification_time": time.Unix(7, 0), "n": 8, "m": int64(-9), "t": true, "o": json.RawMessage(" {\"b\": \"ü\"} "), "absent": nil,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"home_account_id":"h","environment":"e","client_id":"c","secret":"n\u00e9\"w","u":[1, "\u00fc"],` +
		`"last_modification_time":"7","m":"-9","n":"8","o":{"b": "\u00fc"},"t":true}`
	if string(got.Raw()) != want {
		t.Errorf("got  %s\nwant %s", got.Raw(), want)
	}
	if got := string(c.Serialize()); got != `{"X": 1, "RefreshToken": { "a" : `+want+`, "b":{"n":"ü"}}}` {
		t.Errorf("other bytes changed: %s", got)
	}
	if e.Secret() != "old" {
		t.Error("the entry that was found changed")
	}
	// The older entry is still good for what it names.
	if got, err = c.Modify(e, map[string]any{"u": nil, "o": nil, "secret": "newer"}); err != nil || got.Field("n") != "8" || strings.Contains(string(got.Raw()), `"u"`) {
		t.Errorf("%s, %v", got.Raw(), err)
	}
}

func TestModifyRefuses(t *testing.T) {
	t.Parallel()
	deep := json.RawMessage(strings.Repeat("[", 9999) + strings.Repeat("]", 9999))
	for name, changes := range map[string]map[string]any{
		"another person":            {"home_account_id": "secret"},
		"nobody":                    {"home_account_id": nil},
		"another client":            {"client_id": "secret"},
		"a family":                  {"family_id": "secret"},
		"no JSON":                   {"o": json.RawMessage(`{"secret"`)},
		"two values":                {"o": json.RawMessage(`1,"secret":2`)},
		"nothing":                   {"o": json.RawMessage(``)},
		"a name used twice":         {"o": json.RawMessage(`{"secret":1,"secret":2}`)},
		"not UTF-8":                 {"o": json.RawMessage("\"secret\xff\"")},
		"too deep":                  {"o": deep},
		"a float":                   {"o": 1.5},
		"a struct":                  {"o": struct{ Secret string }{"secret"}},
		"a duration":                {"expires_on": time.Second},
		"text as an object":         {"secret": json.RawMessage(`{"secret":1}`)},
		"a time that is none":       {"expires_on": "secret"},
		"a field of MSAL Go's":      {"AdditionalFields": "secret"},
		"another one":               {"HomeAccountID": "secret"},
		"a control character":       {"secret\x07": "x"},
		"good and bad at once":      {"secret": "new", "expires_on": ""},
		"everything removed":        {"home_account_id": nil, "environment": nil, "client_id": nil, "secret": nil},
		"letter case is no change":  nil,
		"nothing asked, no problem": {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := cacheWith(t, []byte(modifiable))
			e := c.Search(Query{Section: RefreshTokens, HomeAccountID: "h"})[0]
			if len(changes) == 0 {
				if _, err := c.Modify(e, changes); err != nil {
					t.Error(err)
				}
			} else if _, err := c.Modify(e, changes); !errors.Is(err, ErrInvalid) || strings.Contains(fmt.Sprint(err), "secret") {
				t.Errorf("error %v", err)
			}
			if string(c.Serialize()) != modifiable {
				t.Errorf("the cache changed: %s", c.Serialize())
			}
		})
	}
}

func TestModifyWhatIsGone(t *testing.T) {
	t.Parallel()
	c := cacheWith(t, []byte(modifiable))
	e := c.Search(Query{Section: RefreshTokens, HomeAccountID: "h"})[0]
	for name, now := range map[string]string{
		"empty":          `{}`,
		"another entry":  strings.Replace(modifiable, `"h"`, `"other"`, 1),
		"unreadable now": `{"RefreshToken":{"a":null}}`,
	} {
		if err := c.Deserialize([]byte(now)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Modify(e, map[string]any{"secret": "x"}); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: Modify gave %v", name, err)
		}
		if c.Remove(e) || string(c.Serialize()) != now {
			t.Errorf("%s: removed something", name)
		}
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	c := cacheWith(t, []byte(modifiable))
	found := c.Search(Query{Section: RefreshTokens})
	if len(found) != 2 || !c.Remove(found[0]) || c.Remove(found[0]) {
		t.Error("not removed once")
	}
	if got := string(c.Serialize()); got != `{"X": 1, "RefreshToken": { "b":{"n":"ü"}}}` && got != `{"X": 1, "RefreshToken": {"b":{"n":"ü"}}}` {
		t.Errorf("got %s", got)
	}
	if !c.Remove(found[1]) || c.Search(Query{Section: RefreshTokens}) != nil {
		t.Error("an entry that nobody can read isn't removed")
	}
}

func TestStateChanged(t *testing.T) {
	t.Parallel()
	c := cacheWith(t, []byte(modifiable))
	calls := 0
	c.OnChange(func() { calls++ })
	c.OnChange(nil)
	c.OnChange(func() {
		if !c.HasStateChanged() {
			t.Error("the hook comes before the change")
		}
	})
	e := c.Search(Query{Section: RefreshTokens, HomeAccountID: "h"})[0]
	step := func(name string, changes bool, do func()) {
		before := calls
		do()
		if c.HasStateChanged() != changes || (calls > before) != changes || calls > before+1 {
			t.Errorf("%s: changed %v, %d calls", name, c.HasStateChanged(), calls-before)
		}
		c.Serialize()
		if c.HasStateChanged() {
			t.Errorf("%s: still changed after Serialize", name)
		}
	}
	step("nothing", false, func() {})
	step("search", false, func() { c.Search(Query{}) })
	step("same value", false, func() { _, _ = c.Modify(e, map[string]any{"absent": nil}) })
	step("refused", false, func() { _, _ = c.Modify(e, map[string]any{"client_id": "x"}) })
	step("nobody there", false, func() { c.RemoveAccount(Account{HomeAccountID: "x"}, "") })
	step("modify", true, func() { _, _ = c.Modify(e, map[string]any{"secret": "x"}) })
	step("add", true, func() {
		if err := c.Add(answer("h", nil)); err != nil {
			t.Error(err)
		}
	})
	step("remove", true, func() { c.Remove(e) })
	step("remove again", false, func() { c.Remove(e) })
	step("sign out", true, func() { c.RemoveAccount(Account{HomeAccountID: "h.t"}, "") })
	if err := c.Deserialize([]byte(modifiable)); err != nil || c.HasStateChanged() {
		t.Error("Deserialize counts as a change")
	}
	step("after Deserialize", true, func() { c.Remove(e) })
	c.Remove(c.Search(Query{Section: RefreshTokens})[0])
	if err := c.Deserialize(nil); err != nil || c.HasStateChanged() {
		t.Error("Deserialize doesn't reset")
	}
}
