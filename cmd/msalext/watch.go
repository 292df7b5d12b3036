package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions"
)

func (c *command) watch() *cobra.Command {
	return c.onItem(&cobra.Command{
		Use:   "watch LOCATION",
		Short: "Tell of each change of a cache by other programs, until interrupted",
		Long: "Prints a line for each change, with --json an object. A cache that can't be read is told on the\n" +
			"standard error output, and watched on. An interrupt ends it with exit code 0.",
	}, func(ctx context.Context, p *extensions.Persistence) error {
		changes, err := p.Watch(ctx)
		if err != nil {
			return err
		}
		for change := range changes {
			if change.Err != nil {
				c.tellFailure(change.Err, codeOf(change.Err))
				continue
			}
			c.tellChange(string(change.Version))
		}
		return nil // interrupted, which is how a watch ends
	})
}

func (c *command) tellChange(version string) {
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
