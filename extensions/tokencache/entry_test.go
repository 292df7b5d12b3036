package tokencache

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const entryText = `{ "secret":"s\u00e9cret", "expires_on":"500", "n":1.5, "t":true, "o":{"a":[1]}, "l":[], "z":null, "empty":"", "\u0061\"b":"x", "home_account_id":"alice" }`

func entryWith(t testing.TB, section, raw string) (*TokenCache, Entry) {
	t.Helper()
	c := cacheWith(t, []byte(`{"`+section+`":{"k":`+raw+`}}`))
	var k Section
	for c.sections[k].entries == nil {
		k++
	}
	return c, c.sections[k].entries[0].found(k)
}

func TestEntryFields(t *testing.T) {
	t.Parallel()
	_, e := entryWith(t, "AccessToken", entryText)
	if e.Key() != "k" || e.Section() != AccessTokens || string(e.Raw()) != entryText || e.Secret() != "sécret" {
		t.Errorf("%q %v %s %q", e.Key(), e.Section(), e.Raw(), e.Secret())
	}
	for name, want := range map[string]string{
		"secret": "sécret", "expires_on": "500", "n": "1.5", "t": "true", "o": "", "l": "", "z": "", "empty": "", `a"b`: "x", "absent": "", "": "",
	} {
		if got := e.Field(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	var names []string
	for name, value := range e.Fields() {
		names = append(names, name)
		clear(value)
		if len(names) == 9 {
			break
		}
	}
	if diff := cmp.Diff(strings.Fields(`secret expires_on n t o l z empty a"b`), names); diff != "" {
		t.Error(diff)
	}
	clear(e.Raw())
	if string(e.Raw()) != entryText {
		t.Error("changed from outside")
	}
}

func TestEntryTimes(t *testing.T) {
	t.Parallel()
	_, e := entryWith(t, "AccessToken", entryText)
	if got := e.Time("expires_on"); !got.Equal(time.Unix(500, 0)) {
		t.Errorf("got %v", got)
	}
	if !e.Time("secret").IsZero() || !e.Time("absent").IsZero() {
		t.Error("a time where there is none")
	}
	if e.Expired(time.Unix(500, 0)) || !e.Expired(time.Unix(501, 0)) {
		t.Error("expires at the wrong time")
	}
	if _, undated := entryWith(t, "AccessToken", `{}`); !undated.Expired(time.Unix(1, 0)) {
		t.Error("an access token that doesn't say when it expires is taken for good")
	}
	if _, other := entryWith(t, "IdToken", `{}`); other.Expired(time.Now()) {
		t.Error("an ID token has no such time")
	}
}

func TestZeroEntry(t *testing.T) {
	t.Parallel()
	var e Entry
	var c TokenCache
	if _, err := c.Modify(e, nil); err != ErrNotFound || c.Remove(e) {
		t.Error("the zero entry is in a cache")
	}
	if e.Key() != "" || e.Raw() != nil || e.Field("x") != "" || e.Secret() != "" || e.Section() != AccessTokens {
		t.Error("the zero entry holds something")
	}
	for range e.Fields() {
		t.Error("the zero entry has a field")
	}
}

// Whatever a program prints, no token and no name of a person comes out.
func TestNothingPrintsSecrets(t *testing.T) {
	t.Parallel()
	const secret, person = "SECRETSECRET", "PERSONPERSON"
	_, e := entryWith(t, "RefreshToken", `{"secret":"`+secret+`","home_account_id":"`+person+`","username":"`+person+`","client_id":"c","environment":"e"}`)
	ev := Event{ClientID: "c", Response: []byte(`{"access_token":"` + secret + `"}`), Data: map[string]string{"password": secret}, Username: person}
	type hidden struct {
		e  Entry
		es []Entry
	}
	for name, v := range map[string]any{
		"entry": e, "pointer": &e, "slice": []Entry{e}, "map": map[string]Entry{"x": e}, "event": ev, "pointer to event": &ev, "events": []Event{ev},
		"struct": struct{ E Entry }{e}, "unexported": hidden{e, []Entry{e}}, "event in struct": struct{ E Event }{ev},
	} {
		var out bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b", "%T", "%50v", "%e", "%t"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		fmt.Fprintln(&out, v, fmt.Errorf("x: %v", v))
		options := &slog.HandlerOptions{Level: slog.LevelDebug}
		slog.New(slog.NewTextHandler(&out, options)).Debug("x", "v", v, slog.Group("g", "v", v))
		slog.New(slog.NewJSONHandler(&out, options)).Debug("x", "v", v)
		if encoded, err := json.Marshal(v); err == nil {
			out.Write(encoded)
		}
		for _, leak := range []string{secret, person, fmt.Sprintf("%x", secret), fmt.Sprint([]byte(secret)), fmt.Sprintf("%X", person)} {
			if strings.Contains(out.String(), strings.Trim(leak, "[]")) {
				t.Errorf("%s: %s", name, out.String())
			}
		}
	}
	if got := fmt.Sprint(e); got != `RefreshToken of client "c" at "e" (contents withheld)` {
		t.Error(got)
	}
}

func TestSectionNames(t *testing.T) {
	t.Parallel()
	for k, want := range map[Section]string{AccessTokens: "AccessToken", IDTokens: "IdToken", AppMetadata: "AppMetadata", 9: "Section(9)", -1: "Section(-1)"} {
		if k.String() != want {
			t.Errorf("%d: %s, want %s", int(k), k, want)
		}
	}
}
