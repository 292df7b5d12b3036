package persist

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/extensions/backend"
)

// What msalext doesn't know at the top level of a cache goes along.
func TestMembersAreBroughtOver(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name               string
		base, ours, theirs string // base "": what a first copy sees
		want               string // "": they can't be united
	}{
		{"only here", "", `{"X":1}`, `{"Account":{}}`, `{"X":1,"Account":{}}`},
		{"with a byte order mark", "", "\ufeff" + `{"X":1}`, "\ufeff" + `{"Y":2}`, `{"X":1,"Y":2}`},
		{"into white space", "", `{"X":1}`, " \n", `{"X":1}`},
		{"written otherwise", "", `{"X": { "a" : "<b>" } }`, `{"X":{"a":"\u003cb\u003e"}}`, `{"X":{"a":"<b>"}}`},
		{"differing", "", `{"X":1}`, `{"X":2}`, ""},
		{"changed since", `{"X":1}`, `{"X":2}`, `{"X":1,"Y":1}`, `{"X":2,"Y":1}`},
		{"added since", `{}`, `{"X":2}`, `{"Y":1}`, `{"X":2,"Y":1}`},
		{"changed there", `{"X":1}`, `{"X":1,"Z":3}`, `{"X":2}`, `{"X":2,"Z":3}`},
		{"changed on both sides", `{"X":1}`, `{"X":2}`, `{"X":3}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := &migration{copied: map[string][]byte{}}
			if c.base != "" {
				m.copied[""] = []byte(c.base)
			}
			got, err := m.unite("", pair{from: backend.Blob{Data: []byte(c.ours)}, to: backend.Blob{Data: []byte(c.theirs)}})
			if c.want == "" {
				if !errors.Is(err, backend.ErrConflict) {
					t.Errorf("got %s, %v", got, err)
				}
				return
			}
			if d := cmp.Diff(meaning(t, []byte(c.want)), meaning(t, got)); err != nil || d != "" {
				t.Errorf("%v: %s", err, d)
			}
		})
	}
}

func meaning(t *testing.T, data []byte) (v any) {
	t.Helper()
	if len(data) > 3 && data[0] == 0xef {
		data = data[3:]
	}
	if err := json.Unmarshal(data, &v); err != nil {
		t.Errorf("%q: %v", data, err)
	}
	return v
}
