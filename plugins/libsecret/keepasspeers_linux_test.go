//go:build secretservice

package libsecret

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// Peers read what we write in KeePassXC, and we read and change what they write.
// They themselves can't change an entry: libsecret waits for ever for version
// 2.7.4 of KeePassXC, whose answer about an entry that is there already doesn't
// come.
func TestPeersOnKeePassXC(t *testing.T) {
	t.Parallel()
	const first, second, third = `{"AccessToken":{},"x":"\u00fc"}`, `{"AccessToken":{"second":{}}}`, `{"third":{}}`
	location := filepath.Join(t.TempDir(), "cache")
	for _, p := range peers(location) {
		open := func(t *testing.T) (*desktop, backend.Store) {
			d := newDesktop(t)
			d.keepassxc(t, keepassSettings{})
			s, err := patient(d.shared).Open(t.Context(), backend.Config{Location: location, Path: location, Settings: p.settings})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			return d, s
		}
		t.Run(p.name+" reads", func(t *testing.T) {
			t.Parallel()
			d, s := open(t)
			saves(t, s, first, backend.None)
			if got := p.run(t, d, "load", ""); strings.TrimSuffix(got, "\n") != p.writes(first) {
				t.Errorf("it reads %q", got)
			}
		})
		t.Run(p.name+" writes", func(t *testing.T) {
			t.Parallel()
			d, s := open(t)
			p.run(t, d, "save", p.writes(first))
			wanted := maps.Clone(p.attributes)
			if p.schemaless { // and it adds none, as GNOME Keyring does
				delete(wanted, schemaAttribute)
			}
			if _, label, attributes := d.entry(t, wanted); label != p.label || !maps.Equal(attributes, wanted) {
				t.Errorf("label %q, attributes %q, want %q and %q", label, attributes, p.label, wanted)
			}
			b := loads(t, s, first)
			saves(t, s, second, b.Version)
			if got := p.run(t, d, "load", ""); strings.TrimSuffix(got, "\n") != p.writes(second) {
				t.Errorf("it reads %q", got)
			}
			command := p.line(t, "save")
			if out, err := d.try(t, 5*time.Second, p.writes(third), command[0], command[1:]...); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("it ends now when it changes an entry: %q, %v", out, err)
			}
			loads(t, s, second)
		})
	}
}
