package plugintest

import (
	"slices"
	"strings"

	"github.com/msalext/msalext/internal/wire"
)

var startFault = fault{
	"doesn't start",
	"A host finds the plugin safe to run, starts it, and opens a store and closes it.",
	func(x *examination) {
		s := x.start()
		s.close(s.open(x.place()))
	},
}

func startFaults() []fault {
	return []fault{
		{"serves whoever runs it by hand", "Without the host's variable it says what it is and exits with status 1.", servesByHand},
		{"refuses newer hosts", "A host that speaks versions 1 and 2 is served by version 1.", func(x *examination) { x.speaks("1,2") }},
		{"refuses older and newer hosts", "A host that speaks versions 0, 1 and 7 is served by version 1.", func(x *examination) { x.speaks("0,1,7") }},
		{"announces a version that it doesn't speak", "To a host that speaks only versions of the future it announces version 1, or nothing.", announcesFuture},
		{"stumbles over variables of newer hosts", "Variables that it doesn't know change nothing.", stumblesOverVariables},
	}
}

func servesByHand(x *examination) {
	d := x.launch(func(env map[string]string) {
		for name := range env {
			if name == wire.CookieKey || name == wire.BackendEnv || strings.HasPrefix(name, "PLUGIN_") {
				delete(env, name)
			}
		}
	})
	if strings.Contains(d.line, "|grpc") {
		x.Errorf("it prints a handshake and listens")
		return
	}
	if !d.ends() {
		x.Errorf("it goes on running")
	} else if code := d.cmd.ProcessState.ExitCode(); code != 1 {
		x.Errorf("it ends with %s, want exit status 1", d.cmd.ProcessState)
	}
}

// speaks expects version 1 where the host offers these.
func (x *examination) speaks(versions string) {
	d := x.launch(func(env map[string]string) { env["PLUGIN_PROTOCOL_VERSIONS"] = versions })
	if got := d.version(); got != "1" {
		x.Fatalf("to a host of versions %s it announces %q, want 1", versions, got)
	}
	d.connect()
	d.open()
}

// version is the protocol's in the handshake.
func (d *direct) version() string {
	if fields := strings.Split(d.line, "|"); len(fields) > 4 {
		return fields[1]
	}
	return ""
}

func announcesFuture(x *examination) {
	d := x.launch(func(env map[string]string) { env["PLUGIN_PROTOCOL_VERSIONS"] = "7,8" })
	if got := d.version(); !slices.Contains([]string{"", "1"}, got) {
		x.Errorf("to a host of versions 7 and 8 it announces version %s", got)
	}
}

func stumblesOverVariables(x *examination) {
	d := x.launch(func(env map[string]string) {
		env["MSALEXT_PLUGIN_FUTURE"], env["PLUGIN_FUTURE"] = "1", "1"
		env[wire.LogEnv] = "deafening"
	})
	d.connect()
	d.open()
}
