// Command msalext-plugin-file serves the backend "file" as a plugin: plain
// files that only their owner can read. msalext starts it; it isn't meant to
// be run by hand.
package main

import (
	"github.com/msalext/msalext/extensions/plugin"
	"github.com/msalext/msalext/plugins/file"
)

func main() { plugin.Main(file.Backend()) }
