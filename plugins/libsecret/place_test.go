package libsecret

import (
	"errors"
	"maps"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/msalext/msalext/extensions/backend"
)

func placed(t *testing.T, settings backend.Settings) place {
	t.Helper()
	at, err := libsecretBackend{}.place(backend.Config{Location: "here", Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	const sum = "fcec91509759ad995c2cd14bcb26b2720993faf61c29d379b270d442d92290eb" // SHA-256 of "here"
	for name, settings := range map[string]backend.Settings{
		"none":  nil,
		"empty": {"schema": "", "label": "", "collection": "", "encoding": "", "match-schema": "", "activate": ""},
	} {
		at := placed(t, settings)
		if at.collection != "default" || at.label != "MSAL token cache" || at.encoding != raw || !at.matchSchema || at.activate {
			t.Errorf("%s: %+v", name, at)
		}
		if want := map[string]string{schemaAttribute: sum}; !maps.Equal(at.stored(""), want) || !maps.Equal(at.sought(""), want) {
			t.Errorf("%s: stored with %v, sought by %v", name, at.stored(""), at.sought(""))
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	at := placed(t, backend.Settings{
		"schema": "s", "attribute.a": "1", "attribute.b.c": "", "attribute.Ü": "é", "label": "Tokens",
		"collection": "session", "encoding": "base64", "match-schema": "false", "activate": "true",
	})
	if at.collection != "session" || at.label != "Tokens" || at.encoding != base64d || at.matchSchema || !at.activate {
		t.Errorf("%+v", at)
	}
	attributes := map[string]string{"a": "1", "b.c": "", "Ü": "é"}
	if got := at.sought(""); !maps.Equal(got, attributes) {
		t.Errorf("sought by %v", got)
	}
	attributes[schemaAttribute] = "s"
	if got := at.stored(""); !maps.Equal(got, attributes) {
		t.Errorf("stored with %v", got)
	}
}

func TestWrongSettings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings backend.Settings
		secrets  map[string]backend.Secret
		says     string
	}{
		"unknown":                   {backend.Settings{"colour": "red"}, nil, `"colour"`},
		"no attribute's name":       {backend.Settings{"attribute.": "x"}, nil, "attribute.NAME"},
		"the schema as attribute":   {backend.Settings{"attribute.xdg:schema": "x"}, nil, "schema"},
		"another encoding":          {backend.Settings{"encoding": "hex"}, nil, "raw or base64"},
		"not true or false":         {backend.Settings{"match-schema": "yes"}, nil, "true or false"},
		"activate maybe":            {backend.Settings{"activate": "1"}, nil, "true or false"},
		"anything would match":      {backend.Settings{"match-schema": "false"}, nil, "any item"},
		"NUL":                       {backend.Settings{"label": "a\x00b"}, nil, "NUL"},
		"the mark of deleted items": {backend.Settings{"label": deletedLabel}, nil, "label"},
		"no UTF-8":                  {backend.Settings{"attribute.a": "\xff"}, nil, "UTF-8"},
		"no UTF-8 in a name":        {backend.Settings{"attribute.\xff": "a"}, nil, "UTF-8"},
		"a secret":                  {nil, map[string]backend.Secret{"password": backend.Secret("hunter2")}, "password"},
		"a setting as secret":       {backend.Settings{"label": "x"}, map[string]backend.Secret{"schema": backend.Secret("hunter2")}, "schema"},
	} {
		_, err := libsecretBackend{}.place(backend.Config{Location: "here", Settings: c.settings, Secrets: c.secrets})
		var e *backend.Error
		if !errors.Is(err, backend.ErrInvalid) || !errors.As(err, &e) || e.Hint == "" || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), "hunter2") || (strings.ContainsRune(err.Error(), 0) || !utf8.ValidString(err.Error())) {
			t.Errorf("%s: %q shows what it shouldn't", name, err)
		}
	}
}

// A search by the main item's attributes finds no further one, and a further
// key's belong to one place and one key.
func TestFurtherKeys(t *testing.T) {
	t.Parallel()
	places := []place{
		placed(t, nil), placed(t, backend.Settings{"schema": "s"}), placed(t, backend.Settings{"collection": "session"}),
		placed(t, backend.Settings{"attribute.a": "1"}), placed(t, backend.Settings{"attribute.a": "1", "attribute.b": "2"}),
		placed(t, backend.Settings{"attribute.a": `1" "b"="2`}), placed(t, backend.Settings{"attribute.a": "1", "match-schema": "false"}),
	}
	seen := map[string]bool{}
	for i, at := range places {
		for _, key := range []string{"a", "A", "a ", "ä", "\x00", "\xff", "%61", "a+b", "a b", strings.Repeat("long", 1000)} {
			stored := at.stored(key)
			for name := range at.sought("") {
				if _, both := stored[name]; both && name != schemaAttribute || stored[schemaAttribute] == at.schema {
					t.Errorf("place %d: the item of %q would be found as the main one", i, key)
				}
			}
			if back, err := url.QueryUnescape(stored[keyAttribute]); err != nil || back != key {
				t.Errorf("%q comes back as %q, %v", key, back, err)
			}
			id := stored[cacheAttribute] + " " + stored[keyAttribute]
			if twice := seen[id]; twice && i != len(places)-1 { // match-schema doesn't change which cache it is
				t.Errorf("place %d: %q has the attributes of another", i, key)
			}
			seen[id] = true
			if !at.matches(key, stored) || at.matches("", stored) || at.matches(key+"x", stored) {
				t.Errorf("place %d: %q doesn't match itself alone", i, key)
			}
		}
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	strict := placed(t, backend.Settings{"schema": "s", "attribute.a": "1"})
	loose := placed(t, backend.Settings{"schema": "s", "attribute.a": "1", "match-schema": "false"})
	for name, c := range map[string]struct {
		has           map[string]string
		strict, loose bool
	}{
		"its own":        {map[string]string{schemaAttribute: "s", "a": "1"}, true, true},
		"another schema": {map[string]string{schemaAttribute: "t", "a": "1"}, false, true},
		"no schema":      {map[string]string{"a": "1"}, false, true},
		"more":           {map[string]string{schemaAttribute: "s", "a": "1", "b": "2"}, false, false},
		"less":           {map[string]string{schemaAttribute: "s"}, false, false},
		"another value":  {map[string]string{schemaAttribute: "s", "a": "2"}, false, false},
		"what KeePassXC adds": {map[string]string{schemaAttribute: "s", "a": "1", "Title": "x", "UserName": "", "URL": "", "Notes": "",
			"Uuid": "1", "Path": "/x"}, true, true},
		"nothing": {nil, false, false},
	} {
		if got := strict.matches("", c.has); got != c.strict {
			t.Errorf("%s: %v", name, got)
		}
		if got := loose.matches("", c.has); got != c.loose {
			t.Errorf("%s without its schema: %v", name, got)
		}
	}
}
