package main

import (
	"strings"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/pluginhost"
)

// pairs takes NAME=VALUE apart.
func pairs(list []string) (backend.Settings, error) {
	all := backend.Settings{}
	for _, pair := range list {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return nil, usage("--set takes NAME=VALUE, as in --set schema=my_schema")
		}
		all[name] = value
	}
	return all, nil
}

// host finds plugins where applications do, and in --plugin-dir.
func (c *command) host() *pluginhost.Host {
	if len(c.dirs) == 0 {
		return nil
	}
	return pluginhost.New(&pluginhost.Options{Dirs: c.dirs})
}
