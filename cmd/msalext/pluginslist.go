package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions/pluginhost"
)

func (c *command) pluginsList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the plugins that are installed: which are used, shadowed or refused, and why",
		Long: "Lists the plugin binaries in all places where applications look, in that order. None is started.\n" +
			"Beside its own executable each application finds further ones: name that directory with --plugin-dir.",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			h := c.surveyor()
			defer h.Close()
			all := []installation{}
			for _, found := range h.Survey() {
				all = append(all, pluginOf(found))
			}
			return c.emit(all, func(w io.Writer) { c.listPlugins(w, all) })
		},
	}
}

// surveyor looks where applications do, and in --plugin-dir. It starts nothing.
func (c *command) surveyor() *pluginhost.Host {
	return pluginhost.New(&pluginhost.Options{Dirs: c.dirs})
}

// An installation is what list tells of a plugin.
type installation struct {
	Name       string              `json:"name"`
	Path       string              `json:"path"`
	State      string              `json:"state"` // used, shadowed, untrusted or refused
	ShadowedBy string              `json:"shadowed_by,omitempty"`
	Reason     string              `json:"reason,omitempty"`
	Remedy     string              `json:"remedy,omitempty"`
	SHA256     string              `json:"sha256,omitempty"`
	Trusted    *pluginhost.Trusted `json:"trusted,omitempty"`
}

func pluginOf(found pluginhost.Installed) installation {
	p := installation{
		Name: found.Name, Path: found.Path, State: "used", ShadowedBy: found.ShadowedBy,
		SHA256: found.SHA256, Trusted: found.Trusted,
	}
	if found.Refusal != nil {
		p.Reason, p.Remedy = found.Refusal.Error(), hintOf(found.Refusal)
	}
	switch {
	case found.ShadowedBy != "":
		p.State = "shadowed"
	case found.Untrusted:
		p.State = "untrusted"
	case found.Refusal != nil:
		p.State = "refused"
	}
	return p
}

func (c *command) listPlugins(w io.Writer, all []installation) {
	if len(all) == 0 {
		fmt.Fprintln(w, "no plugin is installed")
		return
	}
	var rows [][]string
	for _, p := range all {
		rows = append(rows, []string{p.Name, p.state(), short(p.SHA256), p.Path})
	}
	table(w, []string{"NAME", "STATE", "SHA-256", "PATH"}, rows)
	for _, p := range all {
		if p.Reason != "" && p.State != "shadowed" {
			fmt.Fprintf(w, "\n%s: %s\n", c.color(red, p.Name), plain(p.Reason))
		}
	}
}

func (p installation) state() string {
	switch {
	case p.ShadowedBy != "":
		return "shadowed by " + p.ShadowedBy
	case p.State == "used" && p.Trusted != nil:
		return "used, trusted"
	}
	return p.State
}

// short is enough of a hash to tell two apart.
func short(sum string) string { return sum[:min(len(sum), 12)] }
