package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/pluginhost"
)

func (c *command) pluginsVerify() *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "Tell whether every trusted plugin is still the binary that was trusted",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			trusted, err := pluginhost.TrustedPlugins()
			if err != nil {
				return err
			}
			all, bad := []verdict{}, 0
			for _, t := range trusted {
				v := verdict{Trusted: t, OK: true}
				if err := t.Verify(); err != nil {
					v.OK, v.Error, v.Remedy = false, err.Error(), hintOf(err)
					bad++
				}
				all = append(all, v)
			}
			if err := c.emit(all, func(w io.Writer) { c.showVerdicts(w, all) }); err != nil || bad == 0 {
				return err
			}
			return &backend.Error{Op: "verify", Kind: backend.ErrPluginRefused,
				Err: fmt.Errorf("%s of %d can't be verified", plural(bad, "plugin"), len(all))}
		},
	}
}

type verdict struct {
	pluginhost.Trusted
	OK     bool   `json:"ok"`
	Error  string `json:"error,omitempty"`
	Remedy string `json:"remedy,omitempty"`
}

func (c *command) showVerdicts(w io.Writer, all []verdict) {
	if len(all) == 0 {
		fmt.Fprintln(w, "no plugin is trusted")
	}
	for _, v := range all {
		if v.OK {
			fmt.Fprintf(w, "%s: unchanged: %s\n", c.color(green, v.Name), plain(v.Path))
		} else {
			fmt.Fprintf(w, "%s: %s\n", c.color(red, v.Name), plain(v.Error))
		}
	}
}

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
	cmd.Flags().StringVar(&sum, "sha256", "", "refuse a file with another SHA-256 than this one, in hex")
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

func (c *command) pluginsTrust() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "trust PATH",
		Short: "Let a plugin binary run, as it is now",
		Long: "Records the hash of a plugin binary, also after it changed: in your own plugin directory, and where a\n" +
			"policy asks for it, nothing runs without. The binary isn't started.",
		Args: arguments(1, "the PATH of one plugin binary"),
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "don't ask")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		h := c.surveyor()
		defer h.Close()
		path, err := filepath.Abs(args[0])
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
		if err := c.confirm(yes, question); err != nil {
			return err
		}
		t, err := pluginhost.Trust(cmd.Context(), path)
		if err != nil {
			return err
		}
		if t.SHA256 != found.SHA256 {
			_, undone := pluginhost.Untrust(cmd.Context(), t.Name, t.SHA256)
			return errors.Join(&backend.Error{Op: "trust", Backend: t.Name, Kind: backend.ErrPluginRefused,
				Err: errors.New("it changed while you were asked"), Hint: "find out what changes it, and try again"}, undone)
		}
		return c.emit(t, func(w io.Writer) { fmt.Fprintf(w, "%s trusted: %s\nSHA-256 %s\n", t.Name, plain(t.Path), t.SHA256) })
	}
	return cmd
}

func (c *command) pluginsUntrust() *cobra.Command {
	return &cobra.Command{
		Use:   "untrust NAME",
		Short: "Take back the trust in a plugin",
		Long:  "Forgets the hashes that are trusted for NAME. What runs already isn't ended.",
		Args:  arguments(1, "one plugin, by NAME"),
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
				fmt.Fprintf(w, "%s isn't trusted any longer (%s forgotten)\n", plain(args[0]), plural(n, "hash"))
			})
		},
	}
}

func (c *command) pluginsRemove() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "remove NAME",
		Short: "Delete a plugin from your own plugin directory",
		Long:  "Deletes what install put there, and forgets its hash. Tokens that it keeps stay where they are.",
		Args:  arguments(1, "one plugin, by NAME"),
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "don't ask")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := c.confirm(yes, fmt.Sprintf("Delete the plugin %s from %s?", args[0], pluginhost.UserDir())); err != nil {
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
