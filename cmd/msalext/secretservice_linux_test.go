//go:build secretservice

package main

import "testing"

// TestSecretServiceScripts are stories on a bus with GNOME Keyring.
func TestSecretServiceScripts(t *testing.T) { tell(t, "testdata/secretservice") }
