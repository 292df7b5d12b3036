package main

import (
	"context"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/pluginhost"
)

// storeFlags say how to open a store.
type storeFlags struct {
	backend    string
	preset     string
	key        string
	settings   []string
	envelope   []string
	envelopeID string
}

// onItem makes a command of one that does something to the item at a LOCATION.
func (c *command) onItem(cmd *cobra.Command, do func(context.Context, *extensions.Persistence) error) *cobra.Command {
	c.onStore(cmd, do)
	cmd.Flags().StringVar(&c.key, "key", "", "the item called `KEY`, such as one user's cache; without it the main item")
	complete(cmd, "key", nil)
	return cmd
}

// onStore makes a command of one that does something to all items at a LOCATION.
func (c *command) onStore(cmd *cobra.Command, do func(context.Context, *extensions.Persistence) error) {
	if cmd.Args == nil {
		cmd.Args = location
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		p, err := c.open(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		defer p.Close()
		return do(cmd.Context(), p)
	}
	c.backendFlags(cmd)
}

// backendFlags are those of commands that open one store.
func (c *command) backendFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&c.backend, "backend", "", "the `BACKEND` that keeps the cache, where none is recorded beside it")
	flags.StringArrayVar(&c.envelope, "envelope", nil, "the `SOURCE` of an envelope's keys, see msalext help key-sources; repeatable")
	flags.StringVar(&c.envelopeID, "envelope-id", "", "the `ID` that the application sets as Options.EnvelopeID")
	complete(cmd, "backend", c.backends)
	complete(cmd, "envelope", keySourceNames)
	complete(cmd, "envelope-id", nil)
	c.settingFlags(cmd)
}

// settingFlags are those of commands that open any store.
func (c *command) settingFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&c.preset, "preset", "", "the settings of applications that share the cache: `PRESET` is azure-cli, python, dotnet, node or the like")
	flags.StringArrayVar(&c.settings, "set", nil, "a setting of the backend, `NAME=VALUE`; a secret one as NAME-file=PATH or NAME-env=VARIABLE; repeatable")
	complete(cmd, "preset", extensions.Presets)
	complete(cmd, "set", nil)
	c.pluginFlags(cmd)
}

// pluginFlags are those of commands that look for plugins.
func (c *command) pluginFlags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&c.dirs, "plugin-dir", nil, "look for plugins in `DIR` too; repeatable")
	_ = cmd.MarkFlagDirname("plugin-dir") // the flag is there
}

// open opens the store at a location, and its item where --key names one.
func (c *command) open(ctx context.Context, location string) (*extensions.Persistence, error) {
	name, err := c.backendAt(location)
	if err != nil {
		return nil, err
	}
	p, err := c.openStore(ctx, name, location, c.storeFlags)
	if err != nil {
		return nil, err
	}
	return p.Key(c.key), nil
}

// backendAt is the backend that --backend names, or that is recorded beside the
// location.
func (c *command) backendAt(location string) (string, error) {
	if c.backend != "" {
		return c.backend, nil
	}
	name, _, err := extensions.Recorded(location)
	if err == nil && name == "" {
		err = usage("no backend is recorded beside %s: name it with --backend, file for a cache in plain text", location)
	}
	return name, err
}

func (c *command) openStore(ctx context.Context, name, location string, f storeFlags) (*extensions.Persistence, error) {
	opts, err := c.options(strings.TrimSuffix(name, "+envelope"), f)
	if err != nil {
		return nil, err
	}
	if opts.Envelope, err = c.keys(ctx, f.envelope); err != nil {
		return nil, err
	}
	return extensions.Open(ctx, name, location, opts)
}

// options are those for a backend of this name, without an envelope.
func (c *command) options(name string, f storeFlags) (*extensions.Options, error) {
	settings, err := pairs(f.settings)
	if err != nil {
		return nil, err
	}
	o := &extensions.Options{
		Preset:     f.preset,
		EnvelopeID: f.envelopeID,
		Host:       c.host(),
		Logger:     c.logger(),
	}
	if len(settings) > 0 { // an entry, though empty, would allow a backend that the preset doesn't know
		o.Settings = map[string]backend.Settings{name: settings}
	}
	return o, nil
}

// logger shows warnings, and with --verbose everything.
func (c *command) logger() *slog.Logger {
	level := slog.LevelWarn
	if c.verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: level, ReplaceAttr: withoutTime}))
}

// withoutTime drops the time of a warning: a person reads it as it happens.
func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

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

// host finds plugins where applications do, and in --plugin-dir. It isn't closed:
// plugins notice that this program ends.
func (c *command) host() *pluginhost.Host {
	if c.runs == nil {
		c.runs = pluginhost.New(&pluginhost.Options{Dirs: c.dirs, Logger: c.logger()})
	}
	return c.runs
}
