// Command msalext-plugin-libsecret serves the backend "libsecret" as a plugin:
// items of the desktop's Secret Service. msalext starts it; it isn't meant to
// be run by hand.
package main

import (
	"github.com/msalext/msalext/extensions/plugin"
	"github.com/msalext/msalext/plugins/libsecret"
)

func main() { plugin.Main(libsecret.Backend()) }
