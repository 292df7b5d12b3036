package main

import (
	"debug/buildinfo"
	"fmt"
	"io"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions/pluginhost"
)

func (c *command) pluginsInfo() *cobra.Command {
	return &cobra.Command{
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
	}
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
	rows := [][]string{{"path", p.Path}, {"state", p.state()}}
	if p.SHA256 != "" {
		rows = append(rows, []string{"SHA-256", p.SHA256})
	}
	rows = append(rows, []string{"trusted", trustedWhen(p.Trusted)})
	if b := p.Build; b != nil {
		rows = append(rows, []string{"package", b.Package}, []string{"module", b.Module + " " + b.Version}, []string{"built", b.made()})
	}
	table(w, []string{c.color(bold, plain(p.Name)), ""}, rows)
	if p.Reason != "" {
		fmt.Fprintf(w, "\n%s\n", plain(p.Reason))
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
