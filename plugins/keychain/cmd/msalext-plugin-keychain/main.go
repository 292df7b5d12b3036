// Command msalext-plugin-keychain serves the backend "keychain" as a plugin:
// items of the macOS login keychain. It needs cgo. msalext starts it; it isn't
// meant to be run by hand.
package main

import (
	"github.com/msalext/msalext/extensions/plugin"
	"github.com/msalext/msalext/plugins/keychain"
)

func main() { plugin.Main(keychain.Backend()) }
