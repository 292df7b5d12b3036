package extensions_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/plugins/file"
)

func TestRecorded(t *testing.T) {
	t.Parallel()
	where := filepath.Join(t.TempDir(), "cache")
	if name, encrypted, err := extensions.Recorded(where); name != "" || encrypted || err != nil {
		t.Errorf("nothing was stored: %q, %t, %v", name, encrypted, err)
	}
	p, err := extensions.Open(t.Context(), "file", where, &extensions.Options{InProcess: []backend.Backend{file.Backend()}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Save(t.Context(), []byte("data")); err != nil {
		t.Fatal(err)
	}
	if name, encrypted, err := extensions.Recorded(where); name != "file" || encrypted || err != nil {
		t.Errorf("got %q, %t, %v", name, encrypted, err)
	}
	if err := os.WriteFile(where+".msalext", []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := extensions.Recorded(where); !errors.Is(err, backend.ErrCorrupt) {
		t.Errorf("a damaged record: %v", err)
	}
	if _, _, err := extensions.Recorded(""); !errors.Is(err, backend.ErrInvalid) {
		t.Errorf("no location: %v", err)
	}
}
