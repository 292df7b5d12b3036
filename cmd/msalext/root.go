package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions/pluginhost"
)

// command is one run of the program: where it reads and writes, and what its
// flags say.
type command struct {
	in       io.Reader
	out, err io.Writer

	json, verbose bool
	storeFlags
	dirs []string // of plugins

	runs   *pluginhost.Host // nil until a plugin is needed
	opened []io.Closer      // besides the store itself; closed at the end
}

// run does what the arguments say, and returns the exit code.
func run(ctx context.Context, args []string, in io.Reader, out, err io.Writer) int {
	c := &command{in: in, out: out, err: err}
	root := c.root()
	c.json = asksForJSON(args)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(err)
	failure := root.ExecuteContext(ctx)
	for _, o := range c.opened {
		_ = o.Close() // nothing was written through it that wasn't reported
	}
	return c.report(failure)
}

// asksForJSON looks for --json before cobra does: what is wrong with the arguments
// before it is told in JSON, too.
func asksForJSON(args []string) bool {
	if end := slices.Index(args, "--"); end >= 0 {
		args = args[:end]
	}
	return slices.Contains(args, "--json")
}

func (c *command) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "msalext",
		Short: "Look into token caches of MSAL applications, move them, mend them",
		Long: "msalext looks into token caches of MSAL applications, moves them between stores and mends them.\n" +
			"A LOCATION is what the application passes to BuildPersistence or Open: a file's path, also where\n" +
			"a key store keeps the tokens. The backend is the one recorded beside it, or --backend.",
		Version:       thisBuild().String(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetVersionTemplate("msalext {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage("%v: %s --help lists the flags", err, cmd.CommandPath())
	})
	root.PersistentFlags().BoolVar(&c.json, "json", false, "print JSON, also of errors")
	root.PersistentFlags().BoolVar(&c.verbose, "verbose", false, "log all that the library and plugins say")
	for _, g := range c.groups() {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title})
		for _, cmd := range g.commands {
			cmd.GroupID = g.title
			root.AddCommand(cmd)
		}
	}
	root.AddCommand(exitCodes(), keySources())
	strict(root)
	return family(root)
}

// strict makes cobra's own commands refuse what they don't know.
func strict(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "completion":
			family(cmd)
		case "help":
			cmd.Args = topic
		}
	}
}

// topic demands a command, or what there is a help text of.
func topic(cmd *cobra.Command, args []string) error {
	found, rest, err := cmd.Root().Find(args)
	if err != nil || len(rest) > 0 || found == nil {
		return usage("there is no help on %q: %s help lists the commands", strings.Join(args, " "), cmd.Root().Name())
	}
	return nil
}

type group struct {
	title    string
	commands []*cobra.Command
}

func (c *command) groups() []group {
	return []group{
		{"See:", []*cobra.Command{c.inspect(), c.watch(), c.doctor()}},
		{"Move:", []*cobra.Command{c.migrate(), c.export(), c.rewrap()}},
		{"Mend:", []*cobra.Command{c.unlock(), c.quarantine()}},
		{"Remove:", []*cobra.Command{c.delete(), c.purge()}},
		{"Web apps:", []*cobra.Command{c.sessions()}},
		{"Backends of one's own:", []*cobra.Command{c.plugins()}},
	}
}

// family makes what is no command by itself say so: cobra shows the help, and
// takes `plugins instal x` for done.
func family(cmd *cobra.Command) *cobra.Command {
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		text := fmt.Sprintf("unknown command %q for %q", args[0], cmd.CommandPath())
		cmd.SuggestionsMinimumDistance = 2
		if like := cmd.SuggestionsFor(args[0]); len(like) > 0 {
			text += ": did you mean " + strings.Join(like, " or ") + "?"
		}
		return usage("%s", text)
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	return cmd
}
