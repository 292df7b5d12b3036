//go:build secretservice

package libsecret

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/extensions/backend"
)

// peersEnv names the directory that ci/peers/install prints.
const peersEnv = "MSALEXT_PEERS"

// peer is a program in another language that uses the same item.
type peer struct {
	name string
	// settings are those under which we use the peer's item.
	settings backend.Settings
	// attributes and label are what the peer gives to an item of its own.
	attributes map[string]string
	label      string
	// writes64 tells whether it wants and writes base64.
	writes64 bool
	// schemaless tells that it names no schema; what the item has then is up to
	// the service.
	schemaless bool
	// command is how to run it, but for the verb.
	command func(verb string) []string
}

func python(kind, where, schema string, attributes map[string]string) func(string) []string {
	text, _ := json.Marshal(attributes)
	return func(verb string) []string {
		return []string{"/usr/bin/python3", "testdata/peer.py", kind, verb, where, schema, string(text)}
	}
}

// peers are all programs; location is the cache's.
func peers(location string) []peer {
	two := map[string]string{"MsalClientID": "client", "Version": "1.0.0.0"}
	sum := placeOf(location).schema
	return []peer{
		{
			name:       "Python's default",
			attributes: map[string]string{schemaAttribute: sum},
			command:    python("persistence", location, "", map[string]string{}),
		},
		{
			name:       "Python with a schema and attributes",
			settings:   backend.Settings{"schema": "my_schema_name", "attribute.my_attr1": "foo", "attribute.my_attr2": "bar"},
			attributes: map[string]string{schemaAttribute: "my_schema_name", "my_attr1": "foo", "my_attr2": "bar"},
			command:    python("persistence", location, "my_schema_name", map[string]string{"my_attr1": "foo", "my_attr2": "bar"}),
		},
		{
			name: "Node",
			settings: backend.Settings{"schema": "org.freedesktop.Secret.Generic", "attribute.service": "service", "attribute.account": "account",
				"label": "service/account"},
			attributes: map[string]string{schemaAttribute: "org.freedesktop.Secret.Generic", "service": "service", "account": "account"},
			label:      "service/account",
			command: func(verb string) []string {
				return []string{"node", "testdata/peer.cjs", verb, location, "service", "account"}
			},
		},
		{
			name: ".NET",
			settings: backend.Settings{"schema": "msal.cache", "attribute.MsalClientID": "client", "attribute.Version": "1.0.0.0",
				"label": "Tokens", "encoding": "base64", "match-schema": "false"},
			attributes: with(two, schemaAttribute, "msal.cache"), label: "Tokens", writes64: true,
			command: python("dotnet", "Tokens", "msal.cache", two),
		},
		{
			name: "Go",
			settings: backend.Settings{"schema": "name", "attribute.MsalClientID": "client", "attribute.Version": "1.0.0.0",
				"label": "MSALCache", "encoding": "base64"},
			attributes: with(two, schemaAttribute, "name"), label: "MSALCache", writes64: true,
			command: python("plain", "MSALCache", "name", two),
		},
		{
			name:       "secret-tool",
			settings:   backend.Settings{"schema": "org.freedesktop.Secret.Generic", "attribute.app": "x", "label": "Tokens", "match-schema": "false"},
			attributes: map[string]string{schemaAttribute: "org.freedesktop.Secret.Generic", "app": "x"}, label: "Tokens", schemaless: true,
			command: func(verb string) []string {
				if verb == "save" {
					return []string{"secret-tool", "store", "--label=Tokens", "app", "x"}
				}
				return []string{"secret-tool", "lookup", "app", "x"}
			},
		},
	}
}

func with(attributes map[string]string, name, value string) map[string]string {
	all := maps.Clone(attributes)
	all[name] = value
	return all
}

func placeOf(location string) place {
	at, _ := libsecretBackend{}.place(backend.Config{Location: location})
	return at
}

// run has the peer save or load on a desktop.
func (p peer) run(t *testing.T, d *desktop, verb, input string) string {
	t.Helper()
	command := p.line(t, verb)
	return d.run(t, input, command[0], command[1:]...)
}

// line is how to start the peer.
func (p peer) line(t *testing.T, verb string) []string {
	t.Helper()
	dir := os.Getenv(peersEnv)
	if dir == "" {
		t.Fatalf("%s isn't set: run ci/libsecret/run, which installs the peers", peersEnv)
	}
	packages, err := filepath.Glob(filepath.Join(dir, "python", "lib", "python3*", "site-packages"))
	if err != nil || len(packages) != 1 {
		t.Fatal(packages, err)
	}
	return append([]string{"env", "PYTHONPATH=" + packages[0], "NODE_PATH=" + filepath.Join(dir, "node", "node_modules")}, p.command(verb)...)
}

func (p peer) writes(text string) string {
	if p.writes64 {
		return base64.StdEncoding.EncodeToString([]byte(text))
	}
	return text
}

func TestPeers(t *testing.T) {
	t.Parallel()
	const first, second, third = `{"AccessToken":{},"x":"\u00fc"}`, `{"AccessToken":{"second":{}}}`, `{"third":{}}`
	location := filepath.Join(t.TempDir(), "cache")
	for _, p := range peers(location) {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			d := newDesktop(t)
			d.keyring(t)
			s, err := d.backend().Open(t.Context(), backend.Config{Location: location, Path: location, Settings: p.settings})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()

			// We begin, and the peer changes our item.
			v, err := s.Save(t.Context(), "", []byte(first), backend.None)
			if err != nil {
				t.Fatal(err)
			}
			looks(t, d, p, label(p.settings))
			if got := p.run(t, d, "load", ""); strings.TrimSuffix(got, "\n") != p.writes(first) {
				t.Errorf("it reads %q", got)
			}
			p.run(t, d, "save", p.writes(second))
			loads(t, s, second)
			looks(t, d, p, p.label)
			if _, err := s.Save(t.Context(), "", []byte(third), v); backend.KindOf(err) != backend.ErrConflict {
				t.Errorf("a save over the peer's: %v", err)
			}

			// The peer begins, and we change its item.
			b, err := s.Load(t.Context(), "", backend.None)
			if err == nil {
				err = s.Delete(t.Context(), "", b.Version)
			}
			if err != nil {
				t.Fatal(err)
			}
			p.run(t, d, "save", p.writes(first))
			looks(t, d, p, p.label)
			b = loads(t, s, first)
			if _, err = s.Save(t.Context(), "", []byte(third), b.Version); err != nil {
				t.Fatal(err)
			}
			if got := p.run(t, d, "load", ""); strings.TrimSuffix(got, "\n") != p.writes(third) {
				t.Errorf("it reads %q", got)
			}
			looks(t, d, p, p.label)
		})
	}
}

// A setting of the encoding that isn't the peer's reads its item too.
func TestPeersUnderTheOtherEncoding(t *testing.T) {
	t.Parallel()
	location := filepath.Join(t.TempDir(), "cache")
	for _, p := range peers(location) {
		if p.name != "Python's default" && p.name != ".NET" {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			d := newDesktop(t)
			d.keyring(t)
			p.run(t, d, "save", p.writes(`{"a":{}}`))
			settings := backend.Settings{"encoding": map[bool]string{true: "raw", false: "base64"}[p.writes64]}
			for name, value := range p.settings {
				if name != "encoding" {
					settings[name] = value
				}
			}
			s, err := d.backend().Open(t.Context(), backend.Config{Location: location, Path: location, Settings: settings})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			loads(t, s, `{"a":{}}`)
		})
	}
}

func label(settings backend.Settings) string { return either(settings["label"], "MSAL token cache") }

func loads(t *testing.T, s backend.Store, want string) backend.Blob {
	t.Helper()
	b, err := s.Load(t.Context(), "", backend.None)
	if err != nil || string(b.Data) != want {
		t.Fatalf("we read %q, %v, want %q", b.Data, err, want)
	}
	return b
}

// looks looks at the only item of the keyring, beside those that the peer tries
// the service with.
func looks(t *testing.T, d *desktop, p peer, label string) {
	t.Helper()
	conn := d.connect(t)
	defer conn.Close()
	var found, locked []dbus.ObjectPath
	if err := conn.Object(busName, servicePath).Call(serviceInterface+"SearchItems", 0, map[string]string{}).Store(&found, &locked); err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 || len(locked) != 0 {
		t.Fatalf("%d items, %d locked", len(found), len(locked))
	}
	item := conn.Object(busName, found[0])
	has, err := item.GetProperty(itemInterface + "Attributes")
	if err != nil {
		t.Fatal(err)
	}
	got, _ := has.Value().(map[string]string)
	if p.schemaless {
		got[schemaAttribute] = p.attributes[schemaAttribute]
	}
	if diff := cmp.Diff(p.attributes, got); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	if has, err := item.GetProperty(itemInterface + "Label"); err != nil || has.Value() != label {
		t.Errorf("label %v, %v, want %q", has, err, label)
	}
}
