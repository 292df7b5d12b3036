//go:build !windows

// Wine 8 can't reserve memory in the way that the engine of SQLite asks Windows
// for, and the engine panics.

package envelope_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/backendtest"
	"github.com/msalext/msalext/extensions/envelope"
	"github.com/msalext/msalext/internal/canary"
	"github.com/msalext/msalext/plugins/sqlite"
)

func TestConformanceOverSQLite(t *testing.T) {
	t.Parallel()
	backendtest.Run(t, &backendtest.Opener{Backend: wrapping{sqlite.Backend(), fixed}})
}

// Neither the database nor its log shows anything.
func TestDumpOfADatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	inner, err := sqlite.Backend().Open(t.Context(), backend.Config{Location: dir + "/db", Path: dir + "/db"})
	if err != nil {
		t.Fatal(err)
	}
	s := envelope.Wrap(inner, envelope.Fixed(key("one")), nil)
	for _, name := range []string{"", "user"} {
		v := save(t, s, name, secretData, backend.None)
		save(t, s, name, secretData+secretData, v)
	}
	save(t, inner, "plain", "witness", backend.None)
	look := func() (witness bool) {
		files, err := filepath.Glob(dir + "/*")
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		for _, path := range files {
			data, err := os.ReadFile(path)
			if found := canary.Find(data, marker); err != nil || len(found) > 0 {
				t.Errorf("%s: %v, %v", path, found, err)
			}
			witness = witness || len(canary.Find(data, "witness")) > 0
		}
		return witness
	}
	open := look()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if closed := look(); !open || !closed {
		t.Error("the check is blind")
	}
}
