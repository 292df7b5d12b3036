package main

import (
	"fmt"
	"io"
)

func (c *command) showDiagnosis(w io.Writer, d diagnosis) {
	t := table{
		header: []string{"BACKEND", "STATE", "OPEN", "PROBE", "PROTECTION"},
		hue: func(row, column int) string {
			if column == 1 {
				return d.Backends[row].hue()
			}
			return ""
		},
	}
	for _, f := range d.Backends {
		t.rows = append(t.rows, []string{f.Backend, f.state(), took(f.OpenMS), took(f.ProbeMS), f.Protection})
	}
	c.show(w, t)
	for _, f := range d.Backends {
		if !f.Works && !f.elsewhere {
			c.trouble(w, f.Backend, f.Error, f.Remedy)
		}
	}
	if len(d.Plugins) > 0 {
		fmt.Fprintln(w)
		c.listPlugins(w, d.Plugins)
	}
}

// trouble tells what is wrong with something, and what mends it.
func (c *command) trouble(w io.Writer, name, what, remedy string) {
	fmt.Fprintf(w, "\n%s: %s\n", c.color(red, plain(name)), plain(what))
	if remedy != "" {
		fmt.Fprintf(w, "  %s %s\n", c.color(green, "→"), plain(remedy))
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

func (f finding) hue() string {
	switch {
	case f.Works && f.Encrypted:
		return green
	case f.Works:
		return yellow
	case f.elsewhere:
		return dim
	}
	return red
}

func took(ms float64) string {
	if ms == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f ms", ms)
}
