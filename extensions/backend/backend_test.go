package backend_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
)

func TestPathForSeparatesKeys(t *testing.T) {
	t.Parallel()
	keys := []string{"", "a", "A", "a.lockfile", "a.lockqueue", "../../etc/passwd", "%41", "%h00", "ä", "\xff\x00", "nul", " ",
		strings.Repeat("k", 128), strings.Repeat("k", 129), strings.Repeat("K", 60)}
	seen := map[string]string{}
	for _, key := range keys {
		p := backend.PathFor("/data/cache", key)
		folded := strings.ToLower(p)
		if other, dup := seen[folded]; dup {
			t.Errorf("keys %q and %q share the file %s", other, key, p)
		}
		seen[folded] = key
		if filepath.Dir(p) != filepath.FromSlash("/data") || len(filepath.Base(p)) > 200 {
			t.Errorf("key %q leads to %s", key, p)
		}
	}
	if got := backend.PathFor("/data/cache", ""); got != "/data/cache" {
		t.Errorf("the main item lies at %s", got)
	}
}

func TestSplitRefusesUnknownSettingsByName(t *testing.T) {
	t.Parallel()
	d := backend.Description{Name: "x", Settings: []backend.Setting{{Name: "schema"}, {Name: "attribute.*"}, {Name: "password", Secret: true}}}
	_, _, err := d.Split(backend.Settings{"schema": "s", "shcema": "t", "colour": "red"})
	if !errors.Is(err, backend.ErrInvalid) || !strings.Contains(err.Error(), `["colour" "shcema"]`) || !strings.Contains(err.Error(), "attribute.*") {
		t.Errorf("got %v", err)
	}
	settings, secrets, err := d.Split(backend.Settings{"attribute.app": "a", "password": "hunter2"})
	if err != nil || settings["attribute.app"] != "a" || string(secrets["password"]) != "hunter2" || len(settings)+len(secrets) != 2 {
		t.Errorf("got %v, %d secrets, %v", settings, len(secrets), err)
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	t.Parallel()
	c := backend.Config{Location: "l", Secrets: map[string]backend.Secret{"password": backend.Secret("hunter2")}}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("opened", "config", c, "secret", c.Secrets["password"])
	js, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s", c, c, c, c), fmt.Sprintf("%x %q %d", c.Secrets, c.Secrets, c.Secrets["password"]), log.String(), string(js)} {
		for _, leak := range []string{"hunter2", "68756e74657232", "aHVudGVyMg", "104 117"} {
			if strings.Contains(text, leak) {
				t.Errorf("%s shows in %s", leak, text)
			}
		}
		if !strings.Contains(text, "[secret]") {
			t.Errorf("no sign of the secret in %s", text)
		}
	}
}

func TestErrorKeepsKindCauseAndHint(t *testing.T) {
	t.Parallel()
	cause := errors.New("no bus")
	err := fmt.Errorf("start: %w", &backend.Error{Op: "open", Backend: "libsecret", Kind: backend.ErrUnavailable, Err: cause, Hint: "start a session"})
	if !errors.Is(err, backend.ErrUnavailable) || !errors.Is(err, cause) || errors.Is(err, backend.ErrCorrupt) {
		t.Errorf("the chain of %v is wrong", err)
	}
	if want := "start: msalext: open (libsecret): the store can't be reached: no bus; start a session"; err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
	if got := backend.KindOf(err); got != backend.ErrUnavailable {
		t.Errorf("KindOf = %v", got)
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		err  error
		is   []error
		isnt []error
		text string
	}{
		{"nil", nil, nil, nil, ""},
		{"foreign", errors.New("eof"), []error{backend.ErrUnavailable}, nil, "msalext: load (file): the store can't be reached: eof"},
		{"kind", backend.ErrLocked, []error{backend.ErrLocked}, []error{backend.ErrUnavailable}, "msalext: load (file): the store is locked"},
		{"context", context.Canceled, []error{context.Canceled}, []error{backend.ErrUnavailable}, "msalext: load (file): context canceled"},
		{"complete", &backend.Error{Op: "save", Backend: "x", Kind: backend.ErrDenied}, []error{backend.ErrDenied}, nil, "msalext: save (x): access denied"},
		{"partial", &backend.Error{Kind: backend.ErrDenied}, []error{backend.ErrDenied}, nil, "msalext: load (file): access denied"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := backend.Wrap("load", "file", backend.ErrUnavailable, c.err)
			if c.err == nil {
				if err != nil {
					t.Fatalf("nil became %v", err)
				}
				return
			}
			for _, want := range c.is {
				if !errors.Is(err, want) {
					t.Errorf("%v is not %v", err, want)
				}
			}
			for _, not := range c.isnt {
				if errors.Is(err, not) {
					t.Errorf("%v is %v", err, not)
				}
			}
			if err.Error() != c.text {
				t.Errorf("got  %s\nwant %s", err, c.text)
			}
		})
	}
}

func TestCanDemandsAnnouncement(t *testing.T) {
	t.Parallel()
	s, err := (&memory.Backend{}).Open(t.Context(), backend.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := backend.Can[backend.Lister](s, backend.CanList); !ok {
		t.Error("announced and implemented, and not found")
	}
	if _, ok := backend.Can[backend.Lister](silent{s}, backend.CanList); ok {
		t.Error("found a power that isn't announced")
	}
	if _, ok := backend.Can[interface{ Fly() }](s, backend.CanList); ok {
		t.Error("found a power that isn't implemented")
	}
}

// silent has every method of the store it wraps and announces none.
type silent struct{ backend.Store }

func (silent) Info() backend.Info { return backend.Info{} }
