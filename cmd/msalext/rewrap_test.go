package main

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/envelope"
)

// Where a store doesn't tell its items, the keys that they need stay.
func TestRetireWhereItemsDontShow(t *testing.T) {
	t.Parallel()
	keys := &envelope.File{Path: filepath.Join(t.TempDir(), "keys"), Create: true}
	p := openUnlisting(t, keys)
	for _, key := range []string{"", "ann"} {
		if err := p.Key(key).Save(t.Context(), []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	if err := keys.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	c := &command{out: &out, err: &out}
	c.envelope = []string{"file:" + keys.Path}
	err := c.encryptAnew(t.Context(), p, keys, rewrapping{retire: true, yes: true})
	if !errors.Is(err, backend.ErrUnsupported) || c.report(err) != exitUnavailable || !strings.Contains(out.String(), "--key") {
		t.Errorf("%v: %s", err, &out)
	}
	if _, others, err := keys.Keys(t.Context()); err != nil || len(others) != 1 {
		t.Errorf("%d older keys are left, %v", len(others), err)
	}
}
