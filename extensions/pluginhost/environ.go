package pluginhost

import (
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/msalext/msalext/internal/wire"
)

// Environment lists the variables that a plugin process inherits, beside a
// fixed PATH of the system's own directories. A program with rights that its user
// doesn't have passes none on: those that tell of the account are made from it. go-plugin's variables and the
// two that mark a plugin (docs/protocol.md) come on top, made for each start:
// those of a host that is itself somebody's plugin don't pass through.
func Environment() []string { return slices.Clone(inherited) }

// processEnv is the whole environment of a plugin's process. spec is what
// go-plugin wants in it, which wins.
func processEnv(lookup func(string) (string, bool), spec []string, socketDir, name string) []string {
	env := map[string]string{"PATH": systemPath(), wire.BackendEnv: name}
	for _, key := range inherited {
		if value, ok := lookup(key); ok {
			env[key] = value
		}
	}
	for _, pair := range spec {
		key, value, _ := strings.Cut(pair, "=")
		env[key] = value
	}
	delete(env, socketDirEnv)
	if socketDir != "" {
		env[socketDirEnv] = socketDir
	}
	var pairs []string
	for _, key := range slices.Sorted(maps.Keys(env)) {
		pairs = append(pairs, key+"="+env[key])
	}
	return pairs
}

// socketDirEnv tells a plugin which directory to listen in.
const socketDirEnv = "PLUGIN_UNIX_SOCKET_DIR"

// granted returns the variables that a plugin asks for and the program allows.
func granted(wanted, allowed []string) map[string]string {
	env := map[string]string{}
	for _, key := range wanted {
		value, ok := os.LookupEnv(key)
		if ok && slices.ContainsFunc(allowed, func(a string) bool { return admits(a, key) }) {
			env[key] = value
		}
	}
	return env
}

func admits(pattern, key string) bool {
	prefix, open := strings.CutSuffix(pattern, "*")
	return pattern == key || open && strings.HasPrefix(key, prefix)
}
