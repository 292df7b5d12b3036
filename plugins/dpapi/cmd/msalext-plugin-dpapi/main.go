// Command msalext-plugin-dpapi serves the backend "dpapi" as a plugin: files
// that Windows encrypts for a user or a machine. msalext starts it; it isn't
// meant to be run by hand.
package main

import (
	"github.com/msalext/msalext/extensions/plugin"
	"github.com/msalext/msalext/plugins/dpapi"
)

func main() { plugin.Main(dpapi.Backend()) }
