//go:build chaos

package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// damage is what a peer left that died while it wrote in place.
const damage = `{"Account":{"a":{"home_acc`

// TestKillDuringQuarantine lets four programs move a damaged cache aside at
// once, and kills one at each call that changes something.
func TestKillDuringQuarantine(t *testing.T) {
	t.Parallel()
	names := []string{"renameat", "unlinkat"}
	if !testing.Short() {
		names = strings.Fields(changing)
	}
	var times []time.Duration
	for _, name := range names {
		times = append(times, atAll(func(n int) (time.Duration, string) { return killAside(t, name, n) })...)
	}
	logTimes(t, fmt.Sprintf("%d kills; until the other three had done it", len(times)), times)
}

func killAside(t *testing.T, name string, n int) (took time.Duration, at string) {
	t.Helper()
	p := newPlace(t)
	var drivers []*driver
	for range 4 {
		drivers = append(drivers, p.drive(t, linked))
		drivers[len(drivers)-1].ready(t)
	}
	if err := os.WriteFile(p.cache(), []byte(damage), 0o600); err != nil {
		t.Fatal(err)
	}
	tr := attach(t, drivers[0].cmd.Process.Pid, fmt.Sprintf("%s:signal=SIGKILL:when=%d", name, n))
	start := time.Now()
	drivers[0].tell(t, aside)
	time.Sleep(300 * time.Millisecond) // under strace it would come last, and find nothing to do
	for _, d := range drivers[1:] {
		d.tell(t, aside)
	}
	for _, d := range drivers[1:] {
		if a, alive := d.hear(t); !alive || a.Err != "" {
			t.Errorf("%s: another program got %+v, alive: %t", name, a, alive)
		}
		d.stop(t)
	}
	took = time.Since(start)
	drivers[0].hear(t)
	calls, killed := tr.detach(t, 300*time.Millisecond)
	drivers[0].stop(t)
	at = nowhere
	if killed {
		at = victimCall(calls, name).about(p)
	}
	p.damageIsAside(t, name+" of "+at)
	return took, at
}

// damageIsAside checks that the damaged bytes are kept, once, and that the
// next program can write.
func (p place) damageIsAside(t *testing.T, where string) {
	t.Helper()
	kept, empty := 0, 0
	for _, e := range entries(t, p.dir) {
		if !strings.HasPrefix(e, "cache.corrupt-") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(p.dir, e))
		switch {
		case err == nil && string(data) == damage:
			kept++
		case err == nil && len(data) == 0:
			empty++
		default:
			t.Errorf("%s: %s holds %q, %v", where, e, data, err)
		}
	}
	if kept != 1 {
		t.Errorf("%s: the damaged bytes are there %d times", where, kept)
	}
	if empty > 0 {
		t.Errorf("%s: %d empty files are left behind", where, empty)
	}
	if p.stored(t).N != 0 {
		t.Errorf("%s: something is stored", where)
	}
	p.clearAsides(t)
	took := p.nextStart(t, linked, nil)
	t.Logf("%-28s next %v", where, took.Round(time.Millisecond))
}

func (p place) clearAsides(t *testing.T) {
	t.Helper()
	found, err := filepath.Glob(p.cache() + ".corrupt-*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}
