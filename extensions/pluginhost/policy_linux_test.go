package pluginhost

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
)

// TestStrictestPolicy: nobody who has a say can loosen what another demands, and
// what can't be understood forbids.
func TestStrictestPolicy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options Policy
		file    string // its content; "-": there is none
		env     string // "-": it isn't set
		want    Policy
		by      string
	}{
		"nobody says anything":     {AnyPlugin, "-", "-", AnyPlugin, "this program"},
		"the program":              {PinnedPlugin, "-", "-", PinnedPlugin, "this program"},
		"the machine":              {AnyPlugin, `{"plugins":"pinned"}`, "-", PinnedPlugin, "policy.json"},
		"the environment":          {AnyPlugin, "-", "In-Process", InProcessOnly, policyEnv},
		"an empty environment":     {AnyPlugin, "-", "", AnyPlugin, "this program"},
		"the machine can't loosen": {InProcessOnly, `{"plugins":"any"}`, "any", InProcessOnly, "this program"},
		"neither the environment":  {AnyPlugin, `{"plugins":"in-process"}`, "any", InProcessOnly, "policy.json"},
		"the strictest of three":   {PinnedPlugin, `{"plugins":"any"}`, "in-process", InProcessOnly, policyEnv},
		"unknown to the program":   {Policy(7), "-", "-", InProcessOnly, "this program"},
		"less than any":            {Policy(-1), "-", "-", InProcessOnly, "this program"},
		"unknown word":             {AnyPlugin, `{"plugins":"none"}`, "-", InProcessOnly, "policy.json"},
		"unknown word in a shell":  {AnyPlugin, "-", "off", InProcessOnly, policyEnv},
		"unknown rule":             {AnyPlugin, `{"plugins":"any","signed":true}`, "-", InProcessOnly, "policy.json"},
		"empty file":               {AnyPlugin, "", "-", InProcessOnly, "policy.json"},
		"not JSON":                 {AnyPlugin, "pinned", "-", InProcessOnly, "policy.json"},
		"more behind it":           {AnyPlugin, `{"plugins":"any"}{}`, "-", InProcessOnly, "policy.json"},
		"a huge file":              {AnyPlugin, strings.Repeat(" ", 5000) + `{"plugins":"any"}`, "-", InProcessOnly, "policy.json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := bare()
			s.policyFile = filepath.Join(t.TempDir(), "policy.json")
			if c.file != "-" {
				if err := os.WriteFile(s.policyFile, []byte(c.file), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			s.lookupEnv = func(key string) (string, bool) { return c.env, key == policyEnv && c.env != "-" }
			got := s.limit(&Options{Policy: c.options})
			if got.policy != c.want || !strings.Contains(got.by, c.by) {
				t.Errorf("policy %s by %s, want %s", got.policy, got.by, c.want)
			}
		})
	}
	s := bare()
	s.policyFile = t.TempDir() // can't be read as a file
	if got := s.limit(&Options{}); got.policy != InProcessOnly {
		t.Errorf("a directory as the policy's file: %s", got.policy)
	}
}

func TestPolicyDecides(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", filepath.Join(t.TempDir(), "data"))
	dir := t.TempDir()
	path := copied(t, dir, "store")
	o := &Options{Dirs: []string{dir}, Policy: PinnedPlugin}
	h := newHost(t, o)
	refusedFor(t, h, "store", "") // the program itself may always run
	h.around.offered = func(string) bool { return false }
	refusedFor(t, h, "store", "the policy lets nothing else run")
	if _, err := Trust(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	refusedFor(t, h, "store", "")
	h.around.elevated = true // the user's word doesn't count then
	h.around.system = []string{dir}
	refusedFor(t, h, "store", "the policy lets nothing else run")

	h = newHost(t, &Options{Policy: InProcessOnly})
	_, err := h.Backend(t.Context(), "store")
	if !errors.Is(err, backend.ErrPluginRefused) || !strings.Contains(err.Error(), "no plugin may run here, by the policy of this program") {
		t.Errorf("error: %v", err)
	}
}

func TestPolicyNames(t *testing.T) {
	t.Parallel()
	if got := PinnedPlugin.String() + " " + Policy(9).String(); got != "pinned Policy(9)" {
		t.Error(got)
	}
	if !filepath.IsAbs(PolicyFile()) {
		t.Error(PolicyFile())
	}
}

// refusedFor finds a plugin, which is refused for that reason; empty: it isn't.
func refusedFor(t *testing.T, h *Host, name, reason string) {
	t.Helper()
	_, err := h.Find(name)
	check(t, nil, err, reason)
}

// copied puts the test binary as a plugin into a directory, which it makes.
func copied(t *testing.T, dir, name string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return installed(t, dir, name)
}
