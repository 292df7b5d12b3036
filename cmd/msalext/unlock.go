package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions"
)

func (c *command) unlock() *cobra.Command {
	return c.onItem(&cobra.Command{
		Use:   "unlock LOCATION",
		Short: "Tell who holds a cache's lock, and remove the lock of a process that is gone",
		Long: "Tells who holds the lock of a cache. A lock whose holder is gone is removed, which the next\n" +
			"program that writes would do as well; the lock of a process that lives, never. That one is\n" +
			"waited for 15 seconds: if it is still there then, look what that process does, or end it.",
	}, func(ctx context.Context, p *extensions.Persistence) error {
		holder, err := p.LockHolder(ctx)
		if err != nil {
			return err
		}
		removed := false
		if holder != "" {
			if terminal(c.err) {
				fmt.Fprintln(c.err, "the lock file names", holder)
			}
			if removed, err = p.ClearLock(ctx); err != nil {
				return err
			}
		}
		answer := unlocked{Holder: holder, Removed: removed}
		return c.emit(answer, func(w io.Writer) { fmt.Fprintln(w, answer) })
	})
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
