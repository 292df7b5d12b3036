package plugin

import (
	"os"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/selfplugin"
	"github.com/msalext/msalext/internal/wire"
)

// Main serves b to the host that started this process, and exits: it never
// returns. It is all that the main function of a plugin needs.
//
// Started by a person, it says what it is and where it must be installed, with
// exit status 1. With the one argument "version" or "--version" it prints name
// and version.
//
// With the one argument "-debug" it serves until it is interrupted, without
// what keeps debuggers away, and each host that starts the same binary is served
// by that process. A host's deadlines hold meanwhile: raise
// pluginhost.Options.CallTimeout where somebody steps through a call. It takes
// the build tag msalext_debug and a Unix system; any other build refuses, and has
// nothing of it in it. A program that uses AutoMTLS isn't passed on.
func Main(b backend.Backend) {
	switch {
	case b == nil:
		quit(wire.ExitNoBackend, "this plugin has no backend: report it to its author")
	case len(os.Args) == 2 && (os.Args[1] == "version" || os.Args[1] == "--version"):
		printVersion(os.Stdout, b.Describe())
		os.Exit(wire.ExitDone)
	case len(os.Args) == 2 && (os.Args[1] == "-debug" || os.Args[1] == "--debug"):
		serveDebug(b)
	case os.Getenv(wire.CookieKey) != wire.CookieValue:
		quit(wire.ExitByHand, byHand(b.Describe().Name))
	}
	serve(func() (backend.Backend, bool) { return b, true })
}

// ServeIfInvoked lets a program be its own plugin. It must be the first call
// in main.
//
// In a process that a host started to serve one of bs, it serves it and exits:
// it never returns. If such a process is asked for a backend that isn't among
// bs, it says so and exits with status 3. In any other process it returns at
// once, and the backends are offered to hosts in this program, which then
// start the program's own executable. It is safe for concurrent use.
func ServeIfInvoked(bs ...backend.Backend) {
	cookie, invoked := os.LookupEnv(wire.CookieKey)
	if !invoked {
		selfplugin.Offer(bs...)
		return
	}
	if cookie != wire.CookieValue {
		quit(wire.ExitNoBackend, "the environment variable "+wire.CookieKey+
			", which marks a plugin, has an unknown value; unset it to run this program")
	}
	name := os.Getenv(wire.BackendEnv)
	serve(func() (backend.Backend, bool) {
		for _, b := range bs {
			if b != nil && b.Describe().Name == name {
				return b, true
			}
		}
		return nil, false
	})
}
