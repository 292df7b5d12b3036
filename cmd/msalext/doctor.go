package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
)

// stores are the backends that doctor looks at unless told which.
var stores = []string{"libsecret", "keychain", "dpapi", "sqlite", "redis", "file"}

func (c *command) doctor() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor [BACKEND…]",
		Short: "Tell which backends work on this machine, what they protect against, and what mends the others",
		Long: "Opens each backend at a temporary location, writes a random probe, reads it back and deletes it.\n" +
			"No token is touched. The exit code is 0 when a backend that encrypts works.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = stores
			}
			return c.examine(cmd.Context(), args)
		},
	}
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

func (c *command) examine(ctx context.Context, names []string) error {
	dir, err := os.MkdirTemp("", "msalext-doctor-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var all []finding
	encrypts := false
	for _, name := range names {
		f := c.try(ctx, name, filepath.Join(dir, name))
		all = append(all, f)
		encrypts = encrypts || f.Works && f.Encrypted
	}
	if err := c.emit(all, func(w io.Writer) { c.showFindings(w, all) }); err != nil || encrypts {
		return err
	}
	return &backend.Error{Op: "doctor", Kind: backend.ErrUnavailable, Err: errors.New("no backend that encrypts works here")}
}

func (c *command) try(ctx context.Context, name, location string) finding {
	f := finding{Backend: name}
	opts, err := c.options(name)
	if err != nil {
		return f.failed(err)
	}
	start := time.Now()
	p, err := extensions.Open(ctx, name, location, opts)
	if err != nil {
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
	f.Error, f.Remedy, f.elsewhere = bare(err), hintOf(err), errors.Is(err, backend.ErrUnsupported)
	return f
}

func (c *command) showFindings(w io.Writer, all []finding) {
	var rows [][]string
	for _, f := range all {
		rows = append(rows, []string{f.Backend, f.state(), took(f.OpenMS), took(f.ProbeMS), f.Protection})
	}
	table(w, []string{"BACKEND", "STATE", "OPEN", "PROBE", "PROTECTION"}, rows)
	for _, f := range all {
		if f.Works || f.elsewhere {
			continue
		}
		fmt.Fprintf(w, "\n%s: %s\n", c.color(red, f.Backend), plain(f.Error))
	}
}

func (f finding) state() string {
	switch {
	case f.Works && f.Encrypted:
		return "works"
	case f.Works:
		return "works, in plain text"
	case f.elsewhere:
		return "not on this system"
	}
	return "doesn't work"
}

func took(ms float64) string {
	if ms == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f ms", ms)
}
