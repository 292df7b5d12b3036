// Package plugintest judges a built plugin, of any language, by what it does:
// all cases of package backendtest through the host that applications use, and
// what only a process can do wrong: how it starts and ends, what it prints, what
// it shows of secrets, and how it meets hosts that are older or newer.
//
//	report, err := plugintest.Run(ctx, &plugintest.Options{Binary: "/opt/x/msalext-plugin-x"})
//	if err != nil || !report.Passed() {
//		_ = report.WriteText(os.Stderr)
//	}
//
// A case is named for the fault that it finds. One that can't judge this plugin,
// or can't be tried on this system, is not applicable, and says why; it hasn't
// passed.
//
// Two things need a further process, which the caller provides because only it
// knows how its program is started: [Options.Child] starts what calls [Child].
//
// The settings reach the plugin as an application's would. Everything is stored
// at locations in new temporary directories; a plugin that keeps items elsewhere,
// in a database or a key store, should be given one made for the purpose.
package plugintest
