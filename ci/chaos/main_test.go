//go:build chaos

package chaos

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/extensions/pluginhost"
	"github.com/msalext/msalext/internal/testproc"
	"github.com/msalext/msalext/plugins/file"
)

func TestMain(m *testing.M) { testproc.Main(m, children, removePlugin) }

var children = testproc.Children{
	"write":   writeChild,
	"read":    readChild,
	"once":    onceChild,
	"drive":   driveChild,
	"full":    fullChild,
	"frozen":  frozenChild,
	"removed": removedChild,
}

// The two ways to have the file backend.
const (
	linked = "linked in"
	plugin = "plugin"
)

var ways = []string{linked, plugin}

// pluginEnv tells children where the plugin's binary is.
const pluginEnv = "MSALEXT_CHAOS_PLUGIN"

// pluginDir is where the plugin was built, empty until then.
var pluginDir string

var pluginPath = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "chaos-plugin-")
	if err != nil {
		return "", err
	}
	pluginDir = dir
	path := filepath.Join(dir, "msalext-plugin-file")
	build := exec.Command("go", "build", "-o", path, "github.com/msalext/msalext/plugins/file/cmd/msalext-plugin-file")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", errors.Join(err, errors.New(string(out)))
	}
	return path, nil
})

func removePlugin() {
	if pluginDir != "" {
		_ = os.RemoveAll(pluginDir)
	}
}

// open opens the file backend in one of the two ways. done closes it.
func open(way, location string, trace *persist.Trace) (p *extensions.Persistence, done func() error, err error) {
	o := &extensions.Options{Trace: trace}
	host := pluginhost.New(&pluginhost.Options{Plugins: map[string]pluginhost.Binary{"file": {Path: os.Getenv(pluginEnv)}}})
	if way == linked {
		o.InProcess = []backend.Backend{file.Backend()}
	} else {
		o.Host = host
	}
	p, err = extensions.Open(context.Background(), "file", location, o)
	if err != nil {
		return nil, nil, errors.Join(err, host.Close())
	}
	return p, func() error { return errors.Join(p.Close(), host.Close()) }, nil
}
