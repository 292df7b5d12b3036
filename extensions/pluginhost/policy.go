package pluginhost

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Policy says which plugins may run at all. A higher one is stricter. Three have
// a say, and the strictest counts: [Options.Policy], the machine's administrator
// by the file that [PolicyFile] names, and the environment variable
// MSALEXT_PLUGIN_POLICY ("any", "pinned" or "in-process"; empty says nothing).
// What can't be understood forbids every plugin.
type Policy int

const (
	// AnyPlugin: whatever lies where this package looks, as far as it isn't
	// refused there.
	AnyPlugin Policy = iota
	// PinnedPlugin: only binaries whose SHA-256 the program gives
	// (Options.Hashes, Binary.SHA256) or the user trusts ([Trust]), and the
	// program itself, started again.
	PinnedPlugin
	// InProcessOnly: no process is started. Backends work that are linked in.
	InProcessOnly
)

var policyNames = []string{"any", "pinned", "in-process"}

// String is "any", "pinned" or "in-process".
func (p Policy) String() string {
	if p < 0 || int(p) >= len(policyNames) {
		return fmt.Sprintf("Policy(%d)", int(p))
	}
	return policyNames[p]
}

const policyEnv = "MSALEXT_PLUGIN_POLICY"

// PolicyFile is where the machine's administrator says which plugins may run:
// policy.json in /etc/msalext, "/Library/Application Support/msalext" or msalext
// in the Program Files folder, where only administrators can put it. It holds
// {"plugins":"pinned"} or another policy's name, and need not exist. One that
// can't be read or understood forbids every plugin.
func PolicyFile() string {
	if dir := policyDir(); dir != "" {
		return filepath.Join(dir, "policy.json")
	}
	return ""
}

// A limit is a policy, and who set it, for people.
type limit struct {
	policy Policy
	by     string
}

// limit is the strictest of all that have a say; the first, among equals.
func (s surroundings) limit(o *Options) limit {
	most := limit{o.Policy, "this program"}
	if most.policy < AnyPlugin || most.policy > InProcessOnly {
		most.policy = InProcessOnly
	}
	for _, l := range s.limits() {
		if l.policy > most.policy {
			most = l
		}
	}
	return most
}

// limits are those from outside the program.
func (s surroundings) limits() []limit {
	var all []limit
	if data, err := readSmall(s.policyFile); s.policyFile != "" && !errors.Is(err, fs.ErrNotExist) {
		all = append(all, limit{parsePolicy(data, err), s.policyFile})
	}
	if text, ok := s.lookupEnv(policyEnv); ok && text != "" {
		all = append(all, limit{policyNamed(text), "the environment variable " + policyEnv})
	}
	return all
}

// parsePolicy takes what can't be understood for the strictest: whoever wrote it
// wanted to forbid something.
func parsePolicy(data []byte, err error) Policy {
	var file struct {
		Plugins string `json:"plugins"`
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err != nil || d.Decode(&file) != nil || d.More() {
		return InProcessOnly
	}
	return policyNamed(file.Plugins)
}

func policyNamed(text string) Policy {
	for p, name := range policyNames {
		if strings.EqualFold(strings.TrimSpace(text), name) {
			return Policy(p)
		}
	}
	return InProcessOnly
}

// forbids is the error of a plugin of any kind where none may start.
func (l limit) forbids(name string) error {
	if l.policy < InProcessOnly {
		return nil
	}
	return refused(name, "", "link the backend into the program, or have the policy changed",
		"no plugin may run here, by the policy of %s", l.by)
}

// readSmall reads no more than a policy needs.
func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 4096))
}
