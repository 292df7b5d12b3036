// Command msalext-plugin-age serves the backend "age" as a plugin: files that
// are encrypted to an age identity. msalext starts it; it isn't meant to be run
// by hand.
package main

import (
	"github.com/msalext/msalext/examples/custom-backend/agefile"
	"github.com/msalext/msalext/extensions/plugin"
)

func main() { plugin.Main(agefile.Backend()) }
