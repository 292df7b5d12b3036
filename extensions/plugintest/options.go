package plugintest

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/pluginhost"
)

// Options say what to judge. Binary is needed, the rest may be zero.
type Options struct {
	// Binary is the path of the plugin. The host has its own demands on where it
	// lies, see package pluginhost.
	Binary string
	// Name is the backend's name. Empty: the one in the file's name,
	// msalext-plugin-NAME.
	Name string
	// Settings are those of the backend, also secret ones.
	Settings backend.Settings
	// Match tells whether a case of that name is run. Nil: all are.
	Match func(name string) bool
	// Reported is called with each result as soon as it is there. Nil: not at all.
	Reported func(Result)
	// Child returns a command, not started, whose process calls [Child] with its
	// standard streams. Nil: the cases that need another process aren't run.
	Child func(context.Context) *exec.Cmd
}

// filled checks the options and completes them.
func (o Options) filled() (Options, error) {
	path, err := filepath.Abs(o.Binary)
	if o.Binary == "" || err != nil {
		return o, invalid(errors.Join(errors.New("no plugin is named"), err), "name the plugin's file")
	}
	o.Binary = path
	if o.Name == "" {
		base := strings.TrimSuffix(filepath.Base(path), ".exe")
		name, ok := strings.CutPrefix(base, "msalext-plugin-")
		if !ok {
			return o, invalid(fmt.Errorf("%s isn't named as a plugin is", path), "call it msalext-plugin-NAME, as its host looks for it")
		}
		o.Name = name
	}
	if o.Match == nil {
		o.Match = func(string) bool { return true }
	}
	if o.Reported == nil {
		o.Reported = func(Result) {}
	}
	return o, nil
}

func invalid(err error, hint string) error {
	return &backend.Error{Op: "test plugin", Kind: backend.ErrInvalid, Err: err, Hint: hint}
}

// host is one that starts this binary and no other, and whose logger takes
// everything.
func (o Options) host(logs *transcript) *pluginhost.Host {
	return pluginhost.New(&pluginhost.Options{
		Plugins:      map[string]pluginhost.Binary{o.Name: {Path: o.Binary}},
		Logger:       logs.logger(),
		AllowScripts: true, // whoever tests a plugin runs it knowingly
	})
}

// config is a location for the plugin's settings.
func (o Options) config(b backend.Backend, path string) (backend.Config, error) {
	settings, secrets, err := b.Describe().Split(o.Settings)
	return backend.Config{Location: path, Path: path, Settings: settings, Secrets: secrets}, err
}
