//go:build unix

package main

import "testing"

// TestUnixScripts are stories that need a shell, and of the user's own plugin directory, which Windows
// finds without asking the environment.
func TestUnixScripts(t *testing.T) {
	t.Parallel()
	tell(t, "testdata/unix")
}
