// Package selfplugin remembers which backends this program can serve when it
// is started again as its own plugin. plugin.ServeIfInvoked tells it, and
// pluginhost asks it, so that neither imports the other.
//
// It imports the standard library and package backend only.
package selfplugin

import (
	"os"
	"sync"

	"github.com/msalext/msalext/extensions/backend"
)

// CookieKey names the environment variable that marks a process as a plugin.
// It is go-plugin's magic cookie.
const CookieKey = "MSALEXT_PLUGIN_COOKIE"

var (
	mu      sync.Mutex
	offered = map[string]backend.Backend{}
)

// Offer records that this program serves bs when it is started again with the
// plugin's environment. A backend offered twice under one name is the later
// one; nil backends are left out. It is safe for concurrent use.
func Offer(bs ...backend.Backend) {
	mu.Lock()
	defer mu.Unlock()
	for _, b := range bs {
		if b != nil {
			offered[b.Describe().Name] = b
		}
	}
}

// Offered returns the backend of that name that was given to [Offer]. It finds
// none when this process is a plugin itself, which [CookieKey] in its
// environment tells, so that no program can start itself for ever. It is safe
// for concurrent use.
func Offered(name string) (backend.Backend, bool) {
	if _, plugin := os.LookupEnv(CookieKey); plugin {
		return nil, false
	}
	mu.Lock()
	defer mu.Unlock()
	b, ok := offered[name]
	return b, ok
}
