package plugintest

import (
	"crypto/rand"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/canary"
)

func secretFaults() []fault {
	return []fault{
		{"shows items in its logs", "Nothing of an item is logged, in any form, at any level.", func(x *examination) {
			marker := newMarker()
			x.logged("an item", marker, x.used(marker, nil))
		}},
		{"shows secret settings in its logs", "No secret setting is logged, in any form, at any level.", showsSecretsInLogs},
		{"shows secrets in arguments or environment", "Neither items nor secret settings stand in arguments or environment of the plugin or what it starts.", showsSecretsToProcesses},
		{"keeps items in clear", "A store that claims to encrypt leaves nothing of an item readable in the files that it writes or names.", keepsInClear},
	}
}

// newMarker is a text that stands nowhere by chance.
func newMarker() string { return "msalext-canary-" + strings.ToLower(rand.Text()[:16]) }

// used works with items that hold the marker, with mistakes that are worth a
// log line, and returns the session when the plugin has ended. during, if any,
// is told the plugin's process and lasts until the function that it returns is
// called.
func (x *examination) used(marker string, during func(pid int) (stop func())) *session {
	session := x.start()
	if during != nil {
		defer during(session.logs.pid())()
	}
	s := session.open(x.place())
	v := session.save(s, "k", marker, backend.None)
	_, _ = s.Save(x.ctx, "k", []byte(marker), backend.None)
	_, _ = s.Load(x.ctx, "k", v)
	_, _ = s.Load(x.ctx, "k", backend.None)
	_, _ = s.Load(x.ctx, "other", v)
	v = session.save(s, "k", marker+marker, v)
	_ = s.Delete(x.ctx, "k", v+"x")
	if err := s.Delete(x.ctx, "k", v); err != nil {
		x.Errorf("delete: %v", err)
	}
	session.close(s)
	_, _ = s.Load(x.ctx, "k", backend.None)
	return session
}

func (x *examination) logged(what, marker string, s *session) {
	for _, sighting := range canary.Find(s.logs.bytes(), marker) {
		x.Errorf("the log shows %s (%s)", what, sighting.Form)
	}
}

// leastSecret is the length, in bytes, from which on a text isn't found by
// chance.
const leastSecret = 6

// secrets are the secret settings that are worth a search.
func (x *examination) secrets() map[string]string {
	host := x.options.host(&transcript{})
	defer host.Close()
	b, err := host.Backend(x.ctx, x.options.Name)
	if err != nil {
		x.Fatalf("%v", err)
	}
	_, all, err := b.Describe().Split(x.options.Settings)
	if err != nil {
		x.Fatalf("%v", err)
	}
	secrets := map[string]string{}
	for name, value := range all {
		if len(value) >= leastSecret {
			secrets[name] = string(value)
		}
	}
	return secrets
}

func showsSecretsInLogs(x *examination) {
	secrets := x.secrets()
	if len(secrets) == 0 {
		x.pass("no secret setting of 6 bytes or more was given")
	}
	s := x.used(newMarker(), nil)
	for name, value := range secrets {
		x.logged("the setting "+name, value, s)
	}
}

func showsSecretsToProcesses(x *examination) {
	if !seesProcesses {
		x.pass("this system doesn't show arguments and environment of processes; Linux does")
	}
	marker := newMarker()
	secrets := x.secrets()
	secrets["the item"] = marker
	w := &watcher{secrets: secrets, seen: map[string]bool{}}
	x.used(marker, w.begin)
	for what := range w.seen {
		x.Errorf("%s", what)
	}
	if w.looks == 0 && !x.hasFailed() {
		x.pass("the environment of the plugin's processes can't be read")
	}
}

func (t *trial) hasFailed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failed
}

func keepsInClear(x *examination) {
	path, marker := x.place(), newMarker()
	s := x.start().open(path)
	info := s.Info()
	if !info.Encrypted {
		x.pass("the store doesn't claim to encrypt")
	}
	for _, key := range []string{"", "k"} {
		if _, err := s.Save(x.ctx, key, []byte(strings.Repeat(marker, 50)), backend.None); err != nil {
			x.Fatalf("save: %v", err)
		}
	}
	files := []string{info.Location, info.Location + "-wal"}
	_ = filepath.WalkDir(filepath.Dir(path), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, path)
		}
		return nil
	})
	for _, file := range files {
		x.clear(file, marker)
	}
}

// clear looks into a file; what isn't one is a description for people.
func (x *examination) clear(file, marker string) {
	content, err := os.ReadFile(file)
	if err != nil {
		return
	}
	for _, sighting := range canary.Find(content, marker) {
		x.Errorf("an item can be read in %s (%s), though the store claims to be encrypted", filepath.Base(file), sighting.Form)
	}
}
