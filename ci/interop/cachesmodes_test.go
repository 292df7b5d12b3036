//go:build interop && unix

package interop_test

import (
	"errors"
	"os"
	"testing"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/plugins/file"
)

// TestModes: what a peer lets others do with its file. MSAL4J leaves that to
// the umask. Where others can only read, we make the file private; where they
// can write, tokens of anybody's may be in it, and it is refused.
func TestModes(t *testing.T) {
	for _, peer := range cachePeers(t) {
		mode, open := os.FileMode(0o600), os.FileMode(0o600)
		if peer.name == java {
			mode, open = 0o644, 0o664
		}
		for umask, want := range map[string]os.FileMode{"022": mode, "002": open} {
			if peer.name == plain {
				continue // runs in this process, and says 0600
			}
			t.Run(peer.name+" "+umask, func(t *testing.T) {
				t.Parallel()
				p := newPlace(t, tenantID, nil)
				strange := peer
				strange.command = append([]string{"sh", "-c", `umask "$0"; exec "$@"`, umask}, peer.command...)
				p.start(strange).signIn(alice)
				info, err := os.Stat(p.path)
				if err != nil {
					t.Fatal(err)
				}
				if info.Mode().Perm() != want {
					t.Errorf("mode %v, want %v", info.Mode(), want)
				}
				p.opens(want&0o022 == 0)
			})
		}
	}
}

func (p *place) opens(want bool) {
	p.Helper()
	persistence, err := extensions.Open(p.Context(), "file", p.path, &extensions.Options{InProcess: []backend.Backend{file.Backend()}})
	if err == nil {
		defer persistence.Close()
	}
	if e := (*backend.Error)(nil); (err == nil) != want || err != nil && (!errors.Is(err, backend.ErrDenied) || !errors.As(err, &e) || e.Hint == "") {
		p.Errorf("opening it: %v", err)
	}
	info, err := os.Stat(p.path)
	if err != nil {
		p.Fatal(err)
	}
	if want && info.Mode().Perm() != 0o600 {
		p.Errorf("opened with mode %v", info.Mode())
	}
}
