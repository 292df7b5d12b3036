package pluginhost

import (
	"log/slog"
	"time"
)

// Options say which plugins a Host may start, and how. The zero value is right
// for most programs.
type Options struct {
	// Plugins are binaries by backend name, each at a path that the program
	// itself knows. They come before everything else.
	Plugins map[string]Binary
	// Dirs are further directories to search, absolute, before the system's.
	Dirs []string
	// Hashes are the SHA-256 sums, in hex, of the binaries that may run, by
	// backend name. A name listed here runs only a binary with one of its sums,
	// wherever it lies; what the user trusts doesn't add to them. In the user's
	// data directory nothing runs that is neither here nor trusted by the user.
	Hashes map[string][]string
	// Policy is the least strict policy that holds. The machine's administrator
	// and the environment can only make it stricter. The zero value is AnyPlugin.
	Policy Policy
	// StartTimeout is how long a plugin has from its start until it has
	// described itself. 0: 10 seconds.
	StartTimeout time.Duration
	// CallTimeout is the deadline of a call whose context has none. 0: 30
	// seconds. Unlock, where a person types, has 4 times as long.
	CallTimeout time.Duration
	// Env names the environment variables, beyond [Environment], whose values
	// plugins get if they ask for them, also in a program with rights that its
	// user doesn't have. Names ending in "*" admit any suffix.
	Env []string
	// AllowEnv lets MSALEXT_PLUGIN_DIR name a directory to search.
	AllowEnv bool
	// AutoMTLS encrypts and authenticates the connection with certificates
	// made for each start. On Windows it is always so. On Unix it adds little to
	// what the private socket directory and the kernel's word about the peer
	// give already.
	AutoMTLS bool
	// AllowScripts lets plugins be scripts, files that begin with "#!". A hash
	// then covers the script alone, and neither its interpreter nor the modules
	// and programs that it loads: whoever can change those changes the plugin.
	AllowScripts bool
	// Logger gets what plugins log. Nil: slog.Default, from Warn up.
	Logger *slog.Logger
}

// A Binary is a plugin at a known path.
type Binary struct {
	Path   string // absolute
	SHA256 string // in hex; empty: not pinned
}

const (
	startTimeout = 10 * time.Second
	callTimeout  = 30 * time.Second
	// unlockFactor stretches the default deadline of the one call that waits
	// for a person.
	unlockFactor = 4
	// grace is how long a plugin may take to end by itself, once it is let go.
	grace = 2 * time.Second
	// closeTimeout bounds Host.Close and the last call of a closing store.
	closeTimeout = 3 * time.Second
	// linger is how long a plugin runs that was started but has no store yet.
	linger = 30 * time.Second
)

// filled returns a copy with defaults in place of zeros.
func (o *Options) filled() Options {
	var full Options
	if o != nil {
		full = *o
	}
	if full.StartTimeout <= 0 {
		full.StartTimeout = startTimeout
	}
	if full.CallTimeout <= 0 {
		full.CallTimeout = callTimeout
	}
	if full.Logger == nil {
		full.Logger = slog.New(defaultLog{})
	}
	return full
}
