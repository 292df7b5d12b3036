package main

import (
	"fmt"
	"io"

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
					v.OK, v.Error, v.Remedy = false, withoutHint(err), hintOf(err)
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
		return
	}
	t := table{
		header: []string{"PLUGIN", "STATE", "SHA-256", "PATH"},
		hue: func(row, column int) string {
			if column != 1 {
				return ""
			}
			return map[bool]string{true: green, false: red}[all[row].OK]
		},
	}
	for _, v := range all {
		t.rows = append(t.rows, []string{v.Name, v.state(), short(v.SHA256), v.Path})
	}
	c.show(w, t)
	for _, v := range all {
		if !v.OK {
			c.trouble(w, v.Name, v.Error, v.Remedy)
		}
	}
}

func (v verdict) state() string {
	if v.OK {
		return "unchanged"
	}
	return "can't be verified"
}
