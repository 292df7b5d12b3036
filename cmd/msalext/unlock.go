package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

func (c *command) unlock() *cobra.Command {
	return &cobra.Command{
		Use:   "unlock LOCATION",
		Short: "Tell who holds a cache's lock, and remove the lock of a process that is gone",
		Long: "Tells who holds the lock of a cache. A lock whose holder is gone is removed, which the next\n" +
			"program that writes would do as well; the lock of a process that lives, never.",
		Args: location,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := c.open(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer p.Close()
			holder, err := p.LockHolder(cmd.Context())
			if err != nil {
				return err
			}
			removed := false
			if holder != "" {
				if removed, err = p.ClearLock(cmd.Context()); err != nil {
					return err
				}
			}
			answer := unlocked{Holder: holder, Removed: removed}
			return c.emit(answer, func(w io.Writer) { fmt.Fprintln(w, answer) })
		},
	}
}

type unlocked struct {
	Holder  string `json:"holder,omitempty"`
	Removed bool   `json:"removed"`
}

func (u unlocked) String() string {
	switch {
	case u.Removed:
		return "the lock was left by " + u.Holder + ", which is gone; it was removed"
	case u.Holder != "":
		return "the lock was held by " + u.Holder + ", and is free now"
	}
	return "the lock is free"
}
