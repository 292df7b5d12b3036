package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions/pluginhost"
)

func (c *command) pluginsInstall() *cobra.Command {
	var sum string
	cmd := &cobra.Command{
		Use:   "install PATH",
		Short: "Copy a plugin binary to where applications find it, and trust it",
		Long: "Copies a local file called msalext-plugin-NAME into your own plugin directory and records its hash,\n" +
			"without which nothing runs there. Nothing is downloaded or started. Make sure where the file is from:\n" +
			"it gets to see the tokens that it shall keep.",
		Args: arguments(1, "the PATH of one plugin binary"),
	}
	cmd.Flags().StringVar(&sum, "sha256", "", "refuse a file with another SHA-256 than `HEX`")
	complete(cmd, "sha256", nil)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		path, err := filepath.Abs(args[0])
		if err != nil {
			return err
		}
		t, err := pluginhost.Install(cmd.Context(), path, sum)
		if err != nil {
			return err
		}
		return c.emit(t, func(w io.Writer) {
			fmt.Fprintf(w, "%s installed as %s\nSHA-256 %s\n", t.Name, plain(t.Path), t.SHA256)
			if by := c.before(t); by != "" {
				fmt.Fprintf(w, "%s, which comes first, is used in its place\n", plain(by))
			}
		})
	}
	return cmd
}

// before is the plugin that shadows what was installed.
func (c *command) before(t pluginhost.Trusted) string {
	h := c.surveyor()
	defer h.Close()
	for _, found := range h.Survey() {
		if found.Name == t.Name && found.SHA256 == t.SHA256 && found.Refusal == nil {
			return found.ShadowedBy
		}
	}
	return ""
}

func (c *command) pluginsRemove() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:               "remove NAME",
		Short:             "Delete a plugin from your own plugin directory",
		Long:              "Deletes what install put there, and forgets its hash. Tokens that it keeps stay where they are.",
		Args:              arguments(1, "one plugin, by NAME"),
		ValidArgsFunction: once(c.installed),
	}
	yesFlag(cmd, &yes)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := c.confirm(cmd.Context(), yes, fmt.Sprintf("Delete the plugin %s from %s?", args[0], pluginhost.UserDir())); err != nil {
			return err
		}
		path, err := pluginhost.Remove(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		return c.emit(map[string]string{"removed": path}, func(w io.Writer) { fmt.Fprintln(w, "removed", plain(path)) })
	}
	return cmd
}
