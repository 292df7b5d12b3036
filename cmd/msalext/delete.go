package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
)

func (c *command) delete() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "delete LOCATION",
		Short: "Delete a token cache: everybody has to sign in again",
		Long: "Deletes one item, and leaves the rest: which backend keeps the place, other items, quarantine.\n" +
			"msalext purge removes all of it.",
	}
	yesFlag(cmd, &yes)
	return c.onItem(cmd, func(ctx context.Context, p *extensions.Persistence) error {
		if _, err := p.Load(ctx); errors.Is(err, backend.ErrNotFound) {
			return err
		}
		if err := c.confirm(ctx, yes, fmt.Sprintf("Delete the tokens at %s, kept by %s?", p.Location(), p.Backend())); err != nil {
			return err
		}
		if err := p.Delete(ctx); err != nil {
			return err
		}
		return c.emit(map[string]any{"deleted": p.Location()}, func(w io.Writer) { fmt.Fprintln(w, "deleted", plain(p.Location())) })
	})
}

func yesFlag(cmd *cobra.Command, yes *bool) { cmd.Flags().BoolVar(yes, "yes", false, "don't ask") }
