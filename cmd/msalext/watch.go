package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

func (c *command) watch() *cobra.Command {
	return &cobra.Command{
		Use:   "watch LOCATION",
		Short: "Tell of each change of a cache by other programs, until interrupted",
		Args:  location,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := c.open(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer p.Close()
			changes, err := p.Watch(cmd.Context())
			if err != nil {
				return err
			}
			for change := range changes {
				if change.Err != nil {
					fmt.Fprintln(c.err, "msalext:", change.Err)
					continue
				}
				c.tell(string(change.Version))
			}
			return nil // interrupted, which is how a watch ends
		},
	}
}

func (c *command) tell(version string) {
	now := time.Now()
	if c.json {
		_ = json.NewEncoder(c.out).Encode(map[string]any{"time": now, "version": version, "stored": version != ""})
		return
	}
	what := "changed"
	if version == "" {
		what = "deleted"
	}
	fmt.Fprintln(c.out, now.Format(time.TimeOnly), what)
}
