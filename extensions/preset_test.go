package extensions

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/plugins/dpapi"
	"github.com/msalext/msalext/plugins/file"
	"github.com/msalext/msalext/plugins/keychain"
	"github.com/msalext/msalext/plugins/libsecret"
)

// chest is a backend that tells what it was opened with.
type chest struct {
	memory.Backend
	got backend.Config
}

func (c *chest) Describe() backend.Description {
	return backend.Description{Name: "chest", Settings: []backend.Setting{{Name: "colour"}, {Name: "label"}, {Name: "password", Secret: true}}}
}

func (c *chest) Open(ctx context.Context, config backend.Config) (backend.Store, error) {
	c.got = config
	return c.Backend.Open(ctx, config)
}

// Every preset's settings are known to the backends they are for, and each
// name that it leaves to the application is one of theirs.
func TestPresetsFitTheBackends(t *testing.T) {
	t.Parallel()
	for _, b := range []backend.Backend{dpapi.Backend(), file.Backend(), keychain.Backend(), libsecret.Backend()} {
		for name, p := range presets {
			s, ok := p[b.Describe().Name]
			if !ok {
				continue
			}
			all := maps.Clone(s.settings)
			if all == nil {
				all = backend.Settings{}
			}
			for _, need := range s.needs {
				all[need] = "x"
			}
			if _, _, err := b.Describe().Split(all); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// What Python derives from the location is what the backends derive, too; so
// the preset sets nothing.
func TestPresetNames(t *testing.T) {
	t.Parallel()
	const id = "Microsoft.Developer.IdentityService"
	for _, test := range []struct {
		preset, backend string
		own, want       backend.Settings
	}{
		{"python", "file", nil, backend.Settings{}},
		{"java", "file", nil, backend.Settings{}},
		{"python", "libsecret", nil, backend.Settings{}},
		{"python", "keychain", backend.Settings{"account": "A"}, backend.Settings{"account": "A"}},
		{"node", "libsecret", backend.Settings{"attribute.service": "S", "attribute.account": "A"}, backend.Settings{
			"schema": "org.freedesktop.Secret.Generic", "attribute.service": "S", "attribute.account": "A",
		}},
		{"dotnet", "libsecret", backend.Settings{"schema": "N", "attribute.a": "1", "attribute.b": "2"}, backend.Settings{
			"schema": "N", "attribute.a": "1", "attribute.b": "2", "encoding": "base64", "match-schema": "false",
		}},
		{"msal-go", "libsecret", backend.Settings{"schema": "N"}, backend.Settings{"schema": "N", "encoding": "base64", "label": "MSALCache"}},
		{"azure-cli", "keychain", nil, backend.Settings{"service": "my_service_name", "account": "my_account_name"}},
		{"azidentity-go", "keychain", backend.Settings{"service": "N"}, backend.Settings{"service": "N", "account": "MSALCache"}},
		{"azidentity-dotnet", "libsecret", nil, backend.Settings{
			"schema": "msal.cache", "encoding": "base64", "match-schema": "false", "attribute.MsalClientID": id, "attribute." + id: "1.0.0.0",
		}},
	} {
		o := &Options{Preset: test.preset, Settings: map[string]backend.Settings{}}
		if test.own != nil {
			o.Settings[test.backend] = test.own
		}
		got, err := o.settings(test.backend)
		if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
			t.Errorf("%s, %s: %v, %s", test.preset, test.backend, err, diff)
		}
	}
}

func TestNamesThatApplicationsChoose(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		preset, backend string
		own             backend.Settings
		says            string
	}{
		{"node", "libsecret", nil, "attribute.service, attribute.account"},
		{"node", "libsecret", backend.Settings{"attribute.service": "S", "attribute.account": ""}, ": attribute.account"},
		{"dotnet", "libsecret", backend.Settings{"schema": "N", "attribute.a": "1", "attribute.": "2"}, ": attribute.*"},
		{"dotnet", "keychain", backend.Settings{"service": "S"}, ": account"},
		{"msal-go", "libsecret", nil, ": schema"},
		{"azidentity-go", "libsecret", nil, "doesn't say how"},
		{"java", "keychain", nil, "doesn't say how"},
	} {
		o := &Options{Preset: test.preset, Settings: map[string]backend.Settings{}}
		if test.own != nil {
			o.Settings[test.backend] = test.own
		}
		if _, err := o.settings(test.backend); !errors.Is(err, backend.ErrInvalid) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s, %s: %v", test.preset, test.backend, err)
		}
	}
}

func TestUnknownPreset(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cache")
	for _, name := range []string{"pyhton", "Python", " "} {
		o := &Options{Preset: name, InProcess: []backend.Backend{&chest{}}, Background: true}
		_, openErr := Open(t.Context(), "chest", path, o)
		_, buildErr := BuildPersistence(t.Context(), path, o)
		for _, err := range []error{openErr, buildErr} {
			if !errors.Is(err, backend.ErrInvalid) || !strings.Contains(err.Error(), "dotnet, java, msal-go, node, python") {
				t.Errorf("%q: %v", name, err)
			}
		}
	}
}

// TestUnknownToThePreset: what a preset says nothing about isn't shared with
// anybody, and the application has to know that.
func TestUnknownToThePreset(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cache")
	o := &Options{Preset: "python", InProcess: []backend.Backend{&chest{}}, Candidates: []string{"chest"}, FallbackToPlaintext: true}
	_, openErr := Open(t.Context(), "chest", path, o)
	_, buildErr := BuildPersistence(t.Context(), path, o)
	for _, err := range []error{openErr, buildErr} {
		if e := (*backend.Error)(nil); !errors.Is(err, backend.ErrInvalid) || !errors.As(err, &e) || !strings.Contains(e.Hint, "file") {
			t.Errorf("got %v", err)
		}
	}
	o.Settings = map[string]backend.Settings{"chest": {}}
	p, err := Open(t.Context(), "chest", path, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// Not parallel: it adds a preset for a backend of its own.
func TestSettingsComeOverThePreset(t *testing.T) {
	const name = "test"
	presets[name] = preset{"chest": {settings: backend.Settings{"colour": "red", "label": "theirs", "password": "p"}}}
	defer delete(presets, name)

	for what, test := range map[string]struct {
		own  backend.Settings
		want backend.Settings
	}{
		"nothing of its own": {nil, backend.Settings{"colour": "red", "label": "theirs"}},
		"one":                {backend.Settings{"label": "mine"}, backend.Settings{"colour": "red", "label": "mine"}},
		"an empty one":       {backend.Settings{"label": ""}, backend.Settings{"colour": "red", "label": ""}},
	} {
		c := &chest{}
		o := &Options{Preset: name, InProcess: []backend.Backend{c}}
		if test.own != nil {
			o.Settings = map[string]backend.Settings{"chest": test.own}
		}
		p, err := Open(t.Context(), "chest", filepath.Join(t.TempDir(), "cache"), o)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if diff := cmp.Diff(test.want, c.got.Settings); diff != "" || string(c.got.Secrets["password"]) != "p" {
			t.Errorf("%s: %s", what, diff)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if presets[name]["chest"].settings["label"] != "theirs" {
		t.Error("the application's settings changed the preset")
	}
}

// MSAL Extensions for Java lock another file. Whoever holds it keeps a program
// with the preset out, and no other.
func TestPresetTakesJavasLock(t *testing.T) {
	t.Parallel()
	for name, kept := range map[string]bool{"": false, "python": false, "java": true} {
		path := filepath.Join(t.TempDir(), "cache")
		p, err := Open(t.Context(), "file", path, &Options{Preset: name, InProcess: []backend.Backend{file.Backend()}})
		if err != nil {
			t.Fatal(err)
		}
		lock := filepath.Join(filepath.Dir(path), ".lockfile")
		if err := os.WriteFile(lock, fmt.Appendf(nil, "%d host.example", os.Getpid()), 0o600); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		err = p.Save(ctx, []byte("{}"))
		cancel()
		if errors.Is(err, backend.ErrLockTimeout) != kept || err != nil != kept {
			t.Errorf("%q: while Java holds its lock: %v", name, err)
		}
		if err := os.Remove(lock); err != nil {
			t.Fatal(err)
		}
		if err := p.Save(t.Context(), []byte("[]")); err != nil {
			t.Errorf("%q: afterwards: %v", name, err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}
