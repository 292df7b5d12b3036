package extensions_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
)

func TestSecretFileThatOthersCanRead(t *testing.T) {
	t.Parallel()
	g, log := &guarded{settings: []backend.Setting{{Name: "pin", Secret: true}}}, &bytes.Buffer{}
	path := secretFile(t, hunter, 0o644)
	if err := openGuarded(t, g, log, backend.Settings{"pin-file": path}); err != nil || string(g.opened.Secrets["pin"]) != hunter {
		t.Errorf("%q, %v", g.opened.Secrets["pin"], err)
	}
	if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", fi.Mode(), err)
	}
	if !strings.Contains(log.String(), "level=WARN") || strings.Contains(log.String(), "hunter2") {
		t.Errorf("the log is %s", log)
	}
	if err := openGuarded(t, g, log, backend.Settings{"pin-file": secretFile(t, hunter, 0o666)}); !errors.Is(err, backend.ErrDenied) {
		t.Errorf("a file that others can write: %v", err)
	}
}

func TestSecretFileByALink(t *testing.T) {
	t.Parallel()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(secretFile(t, hunter, 0o600), link); err != nil {
		t.Fatal(err)
	}
	g := &guarded{settings: []backend.Setting{{Name: "pin", Secret: true}}}
	err := openGuarded(t, g, &bytes.Buffer{}, backend.Settings{"pin-file": link})
	if e, ok := errors.AsType[*backend.Error](err); !errors.Is(err, backend.ErrDenied) || !ok || e.Hint == "" {
		t.Errorf("got %v", err)
	}
}
