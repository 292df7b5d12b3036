package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions"
)

func (c *command) quarantine() *cobra.Command {
	return &cobra.Command{
		Use:   "quarantine LOCATION",
		Short: "Move a cache aside that can't be read, so that people can sign in again",
		Long:  "Moves what is stored aside if it is damaged, and leaves it alone if it can be read. Nothing is deleted.",
		Args:  location,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := c.open(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer p.Close()
			movedTo, err := extensions.NewPersistedTokenCache(p, nil).Quarantine(cmd.Context())
			if err != nil {
				return err
			}
			return c.emit(map[string]string{"moved_to": movedTo}, func(w io.Writer) {
				if movedTo == "" {
					fmt.Fprintln(w, "the cache can be read: nothing was moved")
					return
				}
				fmt.Fprintln(w, "moved to", plain(movedTo))
			})
		},
	}
}
