package wire

import "github.com/msalext/msalext/internal/selfplugin"

// How host and plugin find each other. docs/protocol.md says the same for
// authors in other languages.
const (
	// ProtocolVersion is the major version of the protocol. Additions don't
	// change it.
	ProtocolVersion = 1

	// CookieKey and CookieValue are go-plugin's magic cookie. It tells a person
	// who runs a plugin by hand what it is, and guards nothing.
	CookieKey   = selfplugin.CookieKey
	CookieValue = "msalext.persistence"

	// ServiceName is the one plugin that a plugin process dispenses.
	ServiceName = "persistence"

	// BackendEnv names the environment variable that tells a program started
	// again as its own plugin which of its backends to serve.
	BackendEnv = "MSALEXT_PLUGIN_BACKEND"

	// LogEnv names the environment variable by which the host asks for the
	// plugin's least log level: "trace", "debug", "info", "warn", "error" or
	// "off". Absent or anything else: "warn".
	LogEnv = "MSALEXT_PLUGIN_LOG"

	// MaxMessage is the largest message either side takes, in bytes. Ten
	// thousand cache entries are about 16 MiB.
	MaxMessage = 64 << 20
)

// The exit statuses of a plugin written with package plugin. 2 is the Go
// runtime's, after a panic.
const (
	ExitDone        = 0 // served, and ended in order; or printed its version
	ExitByHand      = 1 // not started by a host, or with arguments it doesn't know
	ExitNoBackend   = 3 // told to serve a backend that the program doesn't have
	ExitUnavailable = 4 // could not serve: no socket, or no protected way to the host
)
