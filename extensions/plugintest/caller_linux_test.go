package plugintest_test

import (
	"os/exec"

	"github.com/msalext/msalext/extensions/backend"
)

// Only Linux shows what a process was started with.
func init() {
	plugins["caller"] = broken{
		backend: bent{open: func(c backend.Config) {
			cmd := exec.Command("/bin/sh", "-c", "sleep 0.3; true")
			cmd.Env = []string{"PATH=/bin:/usr/bin", "PASSWORD=" + string(c.Secrets["password"])}
			_ = cmd.Run()
		}},
		settings: backend.Settings{"password": password},
		caughtBy: []string{"shows secrets in arguments or environment"},
	}
}
