package extensions_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
)

// guarded is a backend with a secret setting, and tells what it was opened with.
type guarded struct {
	memory.Backend
	settings []backend.Setting
	opened   backend.Config
}

func (g *guarded) Describe() backend.Description {
	return backend.Description{Name: "guarded", Settings: g.settings}
}

func (g *guarded) Open(ctx context.Context, c backend.Config) (backend.Store, error) {
	g.opened = c
	return g.Backend.Open(ctx, c)
}

const hunter = "hunter2 and more"

func openGuarded(t *testing.T, g *guarded, log *bytes.Buffer, settings backend.Settings) error {
	t.Helper()
	p, err := extensions.Open(t.Context(), "guarded", filepath.Join(t.TempDir(), "cache"), &extensions.Options{
		InProcess: []backend.Backend{g}, Settings: map[string]backend.Settings{"guarded": settings},
		Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err == nil {
		err = p.Close()
	}
	return err
}

func secretFile(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
	return path
}

// Not parallel: it sets a variable.
func TestSecretSettingsByFileAndEnvironment(t *testing.T) {
	t.Setenv("MSALEXT_TEST_SECRET", hunter)
	t.Setenv("MSALEXT_TEST_EMPTY", "")
	pin := []backend.Setting{{Name: "pin", Secret: true}, {Name: "place"}}
	tests := []struct {
		name     string
		settings backend.Settings
		kind     error
		want     string
		says     string
	}{
		{"itself", backend.Settings{"pin": hunter}, nil, hunter, ""},
		{"none", backend.Settings{"place": "x"}, nil, "", ""},
		{"file", backend.Settings{"pin-file": secretFile(t, hunter, 0o600)}, nil, hunter, ""},
		{"file with a line break", backend.Settings{"pin-file": secretFile(t, hunter+"\n", 0o600)}, nil, hunter, ""},
		{"file of Windows", backend.Settings{"pin-file": secretFile(t, hunter+"\r\n", 0o600)}, nil, hunter, ""},
		{"spaces and further lines stay", backend.Settings{"pin-file": secretFile(t, " a \n b \n\n", 0o600)}, nil, " a \n b \n", ""},
		{"environment", backend.Settings{"pin-env": "MSALEXT_TEST_SECRET"}, nil, hunter, ""},
		{"unset variable", backend.Settings{"pin-env": "MSALEXT_TEST_NONE"}, backend.ErrInvalid, "", "isn't set"},
		{"empty variable", backend.Settings{"pin-env": "MSALEXT_TEST_EMPTY"}, backend.ErrInvalid, "", "is empty"},
		{"the secret for the variable's name", backend.Settings{"pin-env": hunter}, backend.ErrInvalid, "", "isn't set"},
		{"no variable", backend.Settings{"pin-env": ""}, backend.ErrInvalid, "", "isn't set"},
		{"missing file", backend.Settings{"pin-file": filepath.Join(t.TempDir(), "none")}, backend.ErrInvalid, "", "can't be read"},
		{"no file", backend.Settings{"pin-file": ""}, backend.ErrInvalid, "", "the location is empty"},
		{"directory", backend.Settings{"pin-file": t.TempDir()}, backend.ErrInvalid, "", "can't be read"},
		{"empty file", backend.Settings{"pin-file": secretFile(t, "\n", 0o600)}, backend.ErrInvalid, "", "is empty"},
		{"large file", backend.Settings{"pin-file": secretFile(t, strings.Repeat("x", 64<<10+1), 0o600)}, backend.ErrInvalid, "", "65536 bytes"},
		{"two ways", backend.Settings{"pin": hunter, "pin-env": "MSALEXT_TEST_SECRET"}, backend.ErrInvalid, "", `["pin" "pin-env"]`},
		{"three ways", backend.Settings{"pin": hunter, "pin-file": "x", "pin-env": "MSALEXT_TEST_SECRET"}, backend.ErrInvalid, "", `["pin" "pin-file" "pin-env"]`},
		{"not of a plain setting", backend.Settings{"place-file": "x"}, backend.ErrInvalid, "", `"place-file"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g, log := &guarded{settings: pin}, &bytes.Buffer{}
			err := openGuarded(t, g, log, tt.settings)
			if tt.kind == nil {
				if err != nil || string(g.opened.Secrets["pin"]) != tt.want || len(g.opened.Settings) > 1 {
					t.Errorf("opened with %q, %v, %v", g.opened.Secrets["pin"], g.opened.Settings, err)
				}
				return
			}
			e, ok := errors.AsType[*backend.Error](err)
			if !errors.Is(err, tt.kind) || !ok || e.Hint == "" || e.Backend != "guarded" || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v", err)
			}
			if strings.Contains(err.Error()+log.String(), "hunter2") {
				t.Errorf("the secret shows: %v %s", err, log)
			}
		})
	}
}

// A backend may have settings of its own that are called so.
func TestSecretSettingsThatTheBackendReads(t *testing.T) {
	t.Parallel()
	for _, own := range []string{"pin-file", "pin-*"} {
		g := &guarded{settings: []backend.Setting{{Name: "pin", Secret: true}, {Name: own}}}
		if err := openGuarded(t, g, &bytes.Buffer{}, backend.Settings{"pin-file": "as it is"}); err != nil || g.opened.Settings["pin-file"] != "as it is" {
			t.Errorf("%s: %v, %v", own, g.opened.Settings, err)
		}
	}
}
