//go:build redis

package redis

import (
	"net"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
)

// A replica that has missed a change becomes the master after a crash. Without
// wait-replicas the change was acknowledged all the same, and is lost.
func TestCrashBeforeTheReplicaHasIt(t *testing.T) {
	t.Parallel()
	for wait, acknowledged := range map[string]bool{"0": true, "1": false} {
		t.Run("wait-replicas "+wait, func(t *testing.T) {
			t.Parallel()
			master := startServer(t)
			way := newProxy(t, master.address())
			host, port, _ := net.SplitHostPort(way.address())
			replica := startServer(t, "--replicaof", host+" "+port)
			config := unused(t.TempDir(), backend.Settings{"address": master.address(), "wait-replicas": "1"}, nil)
			change := func(line string, settings ...string) error {
				c := config
				for i := 0; i < len(settings); i += 2 {
					c.Settings = merged(c.Settings, settings[i], settings[i+1])
				}
				p, err := opened(t.Context(), c)
				if err != nil {
					t.Fatal(err)
				}
				defer p.Close()
				return add(t.Context(), p, line)
			}
			if err := change("first"); err != nil { // which the replica has
				t.Fatal(err)
			}
			way.hold()
			way.cut()
			if err := change("second", "wait-replicas", wait); (err == nil) != acknowledged {
				t.Fatalf("acknowledged is not %v: %v", acknowledged, err)
			}
			master.kill(t)
			replica.do(t, "replicaof", "no", "one")
			if err := change("third", "wait-replicas", "0", "address", replica.address()); err != nil {
				t.Fatal(err)
			}
			data := replica.do(t, "hget", names(config.Settings["prefix"]).of(""), "d")
			if got := strings.Fields(data.(string)); len(got) != 2 || got[0] != "first" || got[1] != "third" {
				t.Errorf("the new master has %q", got)
			}
		})
	}
}
