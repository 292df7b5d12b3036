package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/plugintest"
)

// pluginsTest is the conformance kit for plugins of any language.
func (c *command) pluginsTest() *cobra.Command {
	var name, match string
	var list, child bool
	cmd := &cobra.Command{
		Use:   "test BINARY",
		Short: "Run the conformance kit against a plugin, written in any language",
		Long: "Starts the plugin through the host that applications use, and without one, and judges what it does.\n" +
			"Settings of the backend are given by --set, also secret ones. Items are stored at temporary locations;\n" +
			"a backend that keeps them elsewhere should be given a place made for the purpose.\n" +
			"The exit code is 0 only when no case failed. Cases that can't judge this plugin say why.",
		Args: func(_ *cobra.Command, args []string) error {
			if !list && !child && len(args) != 1 {
				return usage("%d arguments are given: name one BINARY", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case list:
				return c.listCases()
			case child:
				return plugintest.Child(cmd.Context(), c.in, c.out)
			}
			return c.testPlugin(cmd.Context(), args[0], name, match)
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "the backend's `NAME`, where the file isn't called msalext-plugin-NAME")
	cmd.Flags().StringVar(&match, "run", "", "run only cases whose name matches the regular expression `RE`")
	cmd.Flags().BoolVar(&list, "list", false, "list the cases")
	cmd.Flags().BoolVar(&child, "child", false, "be a host that the kit kills")
	_ = cmd.Flags().MarkHidden("child") // the flag is there
	cmd.Flags().StringArrayVar(&c.settings, "set", nil, "a setting of the backend, `NAME=VALUE`; repeatable")
	for _, flag := range []string{"set", "name", "run"} {
		complete(cmd, flag, nil)
	}
	return cmd
}

func (c *command) listCases() error {
	if c.json {
		return c.emit(plugintest.Cases(), nil)
	}
	for _, name := range plugintest.Cases() {
		if _, err := fmt.Fprintln(c.out, name); err != nil {
			return err
		}
	}
	return nil
}

func (c *command) testPlugin(ctx context.Context, binary, name, match string) error {
	settings, err := pairs(c.settings)
	if err != nil {
		return err
	}
	rule, err := regexp.Compile(match)
	if err != nil {
		return usage("--run: %v", err)
	}
	o := &plugintest.Options{Binary: binary, Name: name, Settings: settings, Match: rule.MatchString, Child: hostToKill}
	if !c.json {
		o.Reported = c.showResult
	}
	report, err := plugintest.Run(ctx, o)
	if err != nil {
		return err
	}
	if c.json {
		err = c.emit(report, nil)
	} else {
		err = report.WriteSum(c.out)
	}
	if err == nil && !report.Passed() {
		err = &backend.Error{Op: "test plugin", Backend: report.Backend, Err: errors.New("it doesn't keep to the protocol")}
	}
	return err
}

// showResult shows each result as soon as it is there: all of them take long.
func (c *command) showResult(r plugintest.Result) {
	for i, note := range r.Notes {
		r.Notes[i] = plain(note) // what plugins say is somebody else's text
	}
	_ = r.WriteText(c.out)
}

// hostToKill is this program again.
func hostToKill(ctx context.Context) *exec.Cmd {
	exe, err := os.Executable()
	if err != nil {
		exe = os.Args[0]
	}
	return exec.CommandContext(ctx, exe, "plugins", "test", "--child")
}
