package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions/pluginhost"
)

func (c *command) pluginsList() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the plugins that are installed: which are used, shadowed or refused, and why",
		Long: "Lists the plugin binaries in all places where applications look, in that order. None is started.\n" +
			"Beside its own executable each application finds further ones: name that directory with --plugin-dir.",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			all := c.survey()
			return c.emit(all, func(w io.Writer) { c.listPlugins(w, all) })
		},
	}
	c.pluginFlags(cmd)
	return cmd
}

// survey tells of the plugins that are installed; never nil.
func (c *command) survey() []installation {
	h := c.surveyor()
	defer h.Close()
	all := []installation{}
	for _, found := range h.Survey() {
		all = append(all, pluginOf(found))
	}
	return all
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
		p.Reason, p.Remedy = reasonOf(found.Refusal), hintOf(found.Refusal)
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
	t := table{
		header: []string{"PLUGIN", "STATE", "SHA-256", "PATH"},
		hue: func(row, column int) string {
			if column == 1 {
				return hues[all[row].State]
			}
			return ""
		},
	}
	for _, p := range all {
		t.rows = append(t.rows, []string{p.Name, p.state(), short(p.SHA256), p.Path})
	}
	c.show(w, t)
	for _, p := range all {
		switch {
		case p.ShadowedBy != "":
			c.trouble(w, p.Name, p.Path+" isn't looked at", p.ShadowedBy+" comes first")
		case p.Reason != "":
			c.trouble(w, p.Name, p.Reason, p.Remedy)
		}
	}
}

// reasonOf is why a plugin is refused, with its path, once.
func reasonOf(refusal error) string {
	e, ok := errors.AsType[*pluginhost.RefusedError](refusal)
	switch {
	case !ok:
		return withoutHint(refusal)
	case strings.Contains(e.Reason, e.Path):
		return e.Reason
	}
	return e.Error()
}

// hues are the colours of an installation's states.
var hues = map[string]string{"used": green, "shadowed": dim, "untrusted": yellow, "refused": red}

func (p installation) state() string {
	if p.State == "used" && p.Trusted != nil {
		return "used, trusted"
	}
	return p.State
}

// short is enough of a hash to tell two apart.
func short(sum string) string { return sum[:min(len(sum), 12)] }
