package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
)

// stores are the backends of msalext itself.
var stores = []string{"libsecret", "keychain", "dpapi", "sqlite", "redis", "file"}

func (c *command) doctor() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor [BACKEND…]",
		Short: "Tell which backends work on this machine, what they protect against, and what mends the others",
		Long: "Opens each backend at a temporary location, writes a random probe, reads it back and deletes it; those\n" +
			"of plugins that may run, too. No token is touched. Then it lists the plugins that are installed: which\n" +
			"are used, shadowed or refused, and why. The exit code is 0 when a backend that encrypts works.",
		ValidArgsFunction: offer(c.backends),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(c.storeFlags.settings) > 0 && len(args) != 1 {
				return usage("--set is for one backend: name that one, as in msalext doctor redis --set address=localhost:6379")
			}
			plugins := c.survey()
			if len(args) == 0 {
				args = append(slices.Clone(stores), runnable(plugins)...)
			}
			return c.examine(cmd.Context(), args, plugins)
		},
	}
	c.settingFlags(cmd)
	return cmd
}

// runnable are the backends of plugins that an application would start.
func runnable(plugins []installation) (names []string) {
	for _, p := range plugins {
		if p.State == "used" && !slices.Contains(stores, p.Name) {
			names = append(names, p.Name)
		}
	}
	return names
}

// diagnosis is what doctor tells.
type diagnosis struct {
	Backends []finding      `json:"backends"`
	Plugins  []installation `json:"plugins"`
}

// finding is what doctor found out about one backend.
type finding struct {
	Backend    string  `json:"backend"`
	Works      bool    `json:"works"`
	Encrypted  bool    `json:"encrypted"`
	Protection string  `json:"protection,omitempty"`
	OpenMS     float64 `json:"open_ms,omitempty"`
	ProbeMS    float64 `json:"probe_ms,omitempty"`
	Error      string  `json:"error,omitempty"`
	Remedy     string  `json:"remedy,omitempty"`

	elsewhere bool // it is for another system
}

func (c *command) examine(ctx context.Context, names []string, plugins []installation) error {
	dir, err := os.MkdirTemp("", "msalext-doctor-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	d := diagnosis{Plugins: plugins}
	encrypts := false
	for _, name := range names {
		f := c.try(ctx, name, filepath.Join(dir, name))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		d.Backends = append(d.Backends, f)
		encrypts = encrypts || f.Works && f.Encrypted
	}
	if err := c.emit(d, func(w io.Writer) { c.showDiagnosis(w, d) }); err != nil || encrypts {
		return err
	}
	return &codedError{"no backend that encrypts works here", exitUnavailable}
}

func (c *command) try(ctx context.Context, name, location string) finding {
	f := finding{Backend: name}
	opts, err := c.options(name, c.storeFlags)
	if err != nil {
		return f.failed(err)
	}
	start := time.Now()
	p, err := extensions.Open(ctx, name, location, opts)
	if err != nil {
		f.elsewhere = errors.Is(err, backend.ErrUnsupported) && !native(name)
		return f.failed(err)
	}
	defer p.Close()
	f.OpenMS = ms(start)
	f.Encrypted, f.Protection = p.IsEncrypted(), protection(p)
	start = time.Now()
	if err := p.Verify(ctx); err != nil {
		return f.failed(err)
	}
	f.ProbeMS, f.Works = ms(start), true
	return f
}

// protection leaves out who claims it: that is the backend of the same row.
func protection(p *extensions.Persistence) string {
	what := p.Protection()
	what.ClaimedBy = ""
	return what.String()
}

func ms(since time.Time) float64 { return float64(time.Since(since).Microseconds()) / 1000 }

func (f finding) failed(err error) finding {
	f.Error = strings.TrimPrefix(withoutHint(err), "open ("+f.Backend+"): ")
	f.Remedy = hintOf(err)
	return f
}

// native tells that this system has what a backend of msalext itself needs, or can
// have it: then something can be done where the backend doesn't work.
func native(name string) bool {
	switch name {
	case "libsecret":
		return slices.Contains([]string{"linux", "freebsd", "netbsd", "openbsd", "dragonfly"}, runtime.GOOS)
	case "keychain":
		return runtime.GOOS == "darwin"
	case "dpapi":
		return runtime.GOOS == "windows"
	}
	return slices.Contains(stores, name)
}
