// Command msalext-plugin-sqlite serves the backend "sqlite" as a plugin: many
// items in one SQLite database. msalext starts it; it isn't meant to be run by
// hand.
package main

import (
	"github.com/msalext/msalext/extensions/plugin"
	"github.com/msalext/msalext/plugins/sqlite"
)

func main() { plugin.Main(sqlite.Backend()) }
