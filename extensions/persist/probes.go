package persist

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

func newProbeKey() string { return "probe-" + rand.Text() }

// probeName is how PathFor ends the name of a probe's file: 26 letters and
// digits of base32, letters encoded. No other key looks like that by accident.
// It is made at its first use, for programs that need it never.
var probeName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\.key-probe-(%4[1-9a-f]|%5[0-9a]|[2-7]){26}$`)
})

// probeLife is long beyond the few seconds that a Verify takes: whoever left an
// older probe was killed in the middle.
const probeLife = time.Hour

// probesSwept are the directories where old probes were looked for, and when.
// It is done once an hour, since a directory may hold the caches of thousands
// of users.
var probesSwept = struct {
	sync.Mutex
	at map[string]time.Time
}{at: map[string]time.Time{}}

func sweepDue(dir string) bool {
	probesSwept.Lock()
	defer probesSwept.Unlock()
	if at, swept := probesSwept.at[dir]; swept && time.Since(at) <= probeLife {
		return false
	}
	probesSwept.at[dir] = time.Now()
	return true
}

// sweepProbes removes the probes that nobody will, where each is a file. It
// does what it can and reports nothing, since nothing depends on it.
func (s *shared) sweepProbes() {
	if s.info.Stamp != backend.StampData {
		return
	}
	if dir := filepath.Dir(s.config.Path); sweepDue(dir) {
		sweepProbes(dir)
	}
}

func sweepProbes(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if !e.Type().IsRegular() || !probeName().MatchString(e.Name()) {
			continue
		}
		if fi, err := e.Info(); err == nil && time.Since(fi.ModTime()) > probeLife {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}
