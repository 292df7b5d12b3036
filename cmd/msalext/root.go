package main

import (
	"context"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
)

// command is one run of the program: where it reads and writes, and what the
// flags that all commands share say.
type command struct {
	in       io.Reader
	out, err io.Writer

	json     bool
	backend  string
	preset   string
	key      string
	settings []string
	dirs     []string // of plugins
}

// run does what the arguments say, and returns the exit code.
func run(ctx context.Context, args []string, in io.Reader, out, err io.Writer) int {
	c := &command{in: in, out: out, err: err}
	root := c.root()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(err)
	return c.report(root.ExecuteContext(ctx))
}

func (c *command) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "msalext",
		Short: "Look into token caches of MSAL applications, move them, mend them",
		Long: "msalext looks into token caches of MSAL applications, moves them between stores and mends them.\n" +
			"A LOCATION is what the application passes to BuildPersistence or Open: a file's path, also where\n" +
			"a key store keeps the tokens. The backend is the one recorded beside it, or --backend.",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage("%v", err) })
	flags := root.PersistentFlags()
	flags.BoolVar(&c.json, "json", false, "print JSON")
	flags.StringVar(&c.backend, "backend", "", "the backend that keeps the cache, where none is recorded beside it")
	flags.StringVar(&c.preset, "preset", "", "the settings of other MSAL applications: python, dotnet, node, java, msal-go, azure-cli, azidentity-…")
	flags.StringVar(&c.key, "key", "", "the item of the store, such as one user's cache; empty: its main item")
	flags.StringArrayVar(&c.settings, "set", nil, "a setting of the backend, NAME=VALUE; repeatable")
	flags.StringArrayVar(&c.dirs, "plugin-dir", nil, "a further directory of plugins; repeatable")
	root.AddCommand(c.inspect(), c.doctor(), c.watch(), c.unlock(), c.migrate(), c.quarantine(), c.export(), c.delete(), c.plugins(), exitCodes())
	return root
}

// open opens the store at a location, and its item where --key names one.
func (c *command) open(ctx context.Context, location string) (*extensions.Persistence, error) {
	name, err := c.backendAt(location)
	if err != nil {
		return nil, err
	}
	opts, err := c.options(name)
	if err != nil {
		return nil, err
	}
	p, err := extensions.Open(ctx, name, location, opts)
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

func (c *command) options(name string) (*extensions.Options, error) {
	settings, err := pairs(c.settings)
	if err != nil {
		return nil, err
	}
	return &extensions.Options{
		Preset:   c.preset,
		Settings: map[string]backend.Settings{name: settings},
		Host:     c.host(),
		Logger:   slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: withoutTime})),
	}, nil
}

// withoutTime drops the time of a warning: a person reads it as it happens.
func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}
