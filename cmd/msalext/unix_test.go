//go:build unix

package main

import "testing"

// TestUnixScripts are stories that need a shell, of the user's own plugin directory, which Windows
// finds without asking the environment, of SQLite, and those that are alike on every system.
func TestUnixScripts(t *testing.T) {
	t.Parallel()
	tell(t, "testdata/unix")
}
