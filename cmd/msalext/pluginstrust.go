package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/pluginhost"
)

func (c *command) pluginsTrust() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "trust PATH",
		Short: "Let a plugin binary run, as it is now",
		Long: "Records the hash of a plugin binary, also after it changed: in your own plugin directory, and where a\n" +
			"policy asks for it, nothing runs without. The binary isn't started.",
		Args: arguments(1, "the PATH of one plugin binary"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.trust(cmd.Context(), args[0], yes) },
	}
	yesFlag(cmd, &yes)
	return cmd
}

func (c *command) trust(ctx context.Context, path string, yes bool) error {
	h := c.surveyor()
	defer h.Close()
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	found, err := h.Inspect(path)
	if err != nil {
		return err
	}
	if found.SHA256 == "" {
		return found.Refusal
	}
	question := fmt.Sprintf("Let %s, with SHA-256 %s, keep your tokens as the plugin %s?", path, found.SHA256, found.Name)
	if err := c.confirm(ctx, yes, question); err != nil {
		return err
	}
	t, err := pluginhost.Trust(ctx, path)
	if err != nil {
		return err
	}
	if t.SHA256 != found.SHA256 {
		_, undone := pluginhost.Untrust(ctx, t.Name, t.SHA256)
		return errors.Join(&backend.Error{Op: "trust", Backend: t.Name, Kind: backend.ErrPluginRefused,
			Err: errors.New("it changed while you were asked"), Hint: "find out what changes it, and try again"}, undone)
	}
	return c.emit(t, func(w io.Writer) { fmt.Fprintf(w, "%s trusted: %s\nSHA-256 %s\n", t.Name, plain(t.Path), t.SHA256) })
}

func (c *command) pluginsUntrust() *cobra.Command {
	return &cobra.Command{
		Use:               "untrust NAME",
		Short:             "Take back the trust in a plugin",
		Long:              "Forgets the hashes that are trusted for NAME. What runs already isn't ended.",
		Args:              arguments(1, "one plugin, by NAME"),
		ValidArgsFunction: once(trusted),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := pluginhost.Untrust(cmd.Context(), args[0], "")
			if err == nil && n == 0 {
				err = &backend.Error{Op: "untrust", Backend: args[0], Kind: backend.ErrPluginNotFound,
					Err: errors.New("no plugin of that name is trusted"), Hint: "msalext plugins verify lists those that are"}
			}
			if err != nil {
				return err
			}
			return c.emit(map[string]any{"name": args[0], "removed": n}, func(w io.Writer) {
				forgotten := "1 hash"
				if n > 1 {
					forgotten = fmt.Sprintf("%d hashes", n)
				}
				fmt.Fprintf(w, "%s isn't trusted any longer (%s forgotten)\n", plain(args[0]), forgotten)
			})
		},
	}
}
