//go:build redis

package redis

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/testproc"
)

const (
	crowd = 8
	each  = 100
)

// Eight processes make a hundred changes each in one item, and none is lost,
// repeated or refused.
func TestEightProcesses(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string]func(*testing.T) backend.Settings{
		"single": func(t *testing.T) backend.Settings {
			return backend.Settings{"address": startServer(t).address()}
		},
		"Cluster, waiting for a replica": func(t *testing.T) backend.Settings {
			all := startShards(t).settings()
			all["wait-replicas"] = "1"
			return all
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := unused(t.TempDir(), settings(t), nil)
			place := placeFile(t, config)
			var work sync.WaitGroup
			for i := range crowd {
				cmd := testproc.Command(t, "add", place, fmt.Sprint(i))
				work.Go(func() {
					if out, err := cmd.CombinedOutput(); err != nil {
						t.Errorf("process %d: %v: %s", i, err, out)
					}
				})
			}
			work.Wait()
			p, err := opened(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			data, err := p.Load(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			kept := map[string]bool{}
			for line := range strings.Lines(string(data)) {
				kept[line] = true
			}
			if lines := strings.Count(string(data), "\n"); len(kept) != crowd*each || lines != crowd*each {
				t.Errorf("%d changes are kept of %d, in %d lines", len(kept), crowd*each, lines)
			}
		})
	}
}
