package extensions_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/plugins/file"
)

func TestMigrateIntoATargetThatHoldsSomething(t *testing.T) {
	t.Parallel()
	later := `{"AccessToken":{"a":{"credential_type":"AccessToken","home_account_id":"h","environment":"e","client_id":"c","realm":"r","target":"s","secret":"%s","expires_on":"%d"}}}`
	for _, c := range []struct {
		name, from, to string
		err            error
		check          func(data []byte) bool
	}{
		{"the same", people("a"), people("a"), nil, func(b []byte) bool { return string(b) == people("a") }},
		{"more", people("a"), people("a", "b"), nil, func(b []byte) bool { return string(b) == people("a", "b") }},
		{"others", people("a"), people("b"), nil, func(b []byte) bool { return slices.Equal(signedIn(b), []string{"a", "b"}) }},
		{"an older token", fmt.Sprintf(later, "old", 1900000000), fmt.Sprintf(later, "new", 1900000001), nil, func(b []byte) bool {
			return bytes.Contains(b, []byte("new")) && !bytes.Contains(b, []byte("old"))
		}},
		{"a newer token", fmt.Sprintf(later, "new", 1900000001), fmt.Sprintf(later, "old", 1900000000), nil, func(b []byte) bool {
			return bytes.Contains(b, []byte("new")) && !bytes.Contains(b, []byte("old"))
		}},
		{"sections of a later version", `{"Future":{"x":1}}`, `{"Beyond":[2]}`, nil, func(b []byte) bool {
			return bytes.Contains(b, []byte(`"Future":{"x":1}`)) && bytes.Contains(b, []byte(`"Beyond":[2]`))
		}},
		{"differing sections of a later version", `{"Future":{"x":1}}`, `{"Future":{"x":2}}`, backend.ErrConflict, nil},
		{"no cache here", "SECRET", people("a"), backend.ErrConflict, nil},
		{"no cache there", people("a"), "SECRET", backend.ErrConflict, nil},
		{"null", "null", people("a"), backend.ErrConflict, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			from, to := open(t, file.Backend(), location(t)), open(t, sealed{}, location(t))
			fill(t, from, map[string]string{"": c.from})
			fill(t, to, map[string]string{"": c.to})
			err := extensions.Migrate(t.Context(), from, to, &extensions.MigrateOptions{AllowPlaintext: true, DeleteSource: true})
			if !errors.Is(err, c.err) || strings.Contains(fmt.Sprint(err), "SECRET") {
				t.Fatal(err)
			}
			source, target := holds(t, from, ""), holds(t, to, "")
			if err == nil && (len(source) > 0 || !c.check([]byte(target[""]))) {
				t.Errorf("left %v, and the target has %v", source, target)
			}
			if err != nil && (source[""] != c.from || target[""] != c.to) {
				t.Errorf("changed: %v, %v", source, target)
			}
		})
	}
}
