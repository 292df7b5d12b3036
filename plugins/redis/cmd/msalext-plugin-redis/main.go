// Command msalext-plugin-redis serves the backend "redis" as a plugin: items on
// a Redis server, a Cluster, or what Sentinel names as master. msalext starts
// it; it isn't meant to be run by hand.
package main

import (
	"github.com/msalext/msalext/extensions/plugin"
	"github.com/msalext/msalext/plugins/redis"
)

func main() { plugin.Main(redis.Backend()) }
