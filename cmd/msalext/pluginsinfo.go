package main

import (
	"debug/buildinfo"
	"io"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions/pluginhost"
)

func (c *command) pluginsInfo() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "info NAME|PATH",
		Short: "Tell what a plugin was built from, its hash, and whether it is trusted",
		Long:  "Reads the binary and the record of what is trusted. It isn't started, whether it is trusted or not.",
		Args:  arguments(1, "one plugin, by NAME or PATH"),
		RunE: func(_ *cobra.Command, args []string) error {
			h := c.surveyor()
			defer h.Close()
			found, err := named(h, args[0])
			if err != nil {
				return err
			}
			about := pluginInfo{installation: pluginOf(found), Build: buildOf(found)}
			return c.emit(about, func(w io.Writer) { c.showPlugin(w, about) })
		},
		ValidArgsFunction: once(c.installed),
	}
	c.pluginFlags(cmd)
	return cmd
}

// named is the first plugin of that name, or the one at that path.
func named(h *pluginhost.Host, arg string) (pluginhost.Installed, error) {
	if strings.ContainsAny(arg, `/\`) {
		path, err := filepath.Abs(arg)
		if err != nil {
			return pluginhost.Installed{}, err
		}
		return h.Inspect(path)
	}
	for _, found := range h.Survey() {
		if found.Name == arg {
			return found, nil
		}
	}
	_, err := h.Find(arg)
	if err == nil {
		err = usage("no plugin %s is installed: msalext itself is one", arg)
	}
	return pluginhost.Installed{}, err
}

type pluginInfo struct {
	installation
	Build *build `json:"build,omitempty"`
}

// A build is what the Go toolchain wrote into the binary. It is the binary's own
// word, as good as its hash is.
type build struct {
	Package  string `json:"package"`
	Module   string `json:"module"`
	Version  string `json:"version"`
	Go       string `json:"go"`
	System   string `json:"system,omitempty"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified,omitempty"`
}

// buildOf is nil for what wasn't built with Go, and for what isn't fit to be
// looked at.
func buildOf(found pluginhost.Installed) *build {
	if found.SHA256 == "" {
		return nil
	}
	info, err := buildinfo.ReadFile(found.Path)
	if err != nil {
		return nil
	}
	return newBuild(info)
}

func newBuild(info *debug.BuildInfo) *build {
	return &build{
		Package: info.Path, Module: info.Main.Path, Version: info.Main.Version, Go: info.GoVersion,
		System:   setting(info, "GOOS") + "/" + setting(info, "GOARCH"),
		Revision: setting(info, "vcs.revision"), Modified: setting(info, "vcs.modified") == "true",
	}
}

func setting(info *debug.BuildInfo, key string) string {
	for _, s := range info.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

func (c *command) showPlugin(w io.Writer, p pluginInfo) {
	facts := [][2]string{{"path", p.Path}, {"state", p.state()}, {"SHA-256", p.SHA256}, {"trusted", trustedWhen(p.Trusted)}}
	if b := p.Build; b != nil {
		facts = append(facts, [2]string{"package", b.Package}, [2]string{"module", b.Module + " " + b.Version}, [2]string{"built", b.made()})
	}
	c.facts(w, p.Name, facts)
	if p.Reason != "" {
		c.trouble(w, p.Name, p.Reason, p.Remedy)
	}
}

func (b *build) made() string {
	text := "with " + b.Go + " for " + b.System
	if b.Revision != "" {
		text += ", revision " + short(b.Revision)
	}
	if b.Modified {
		text += " with changes"
	}
	return text
}

func trustedWhen(t *pluginhost.Trusted) string {
	if t == nil {
		return "no"
	}
	return "since " + t.Added.Format(time.DateOnly) + " as " + t.Path
}
