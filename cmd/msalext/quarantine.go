package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions"
)

func (c *command) quarantine() *cobra.Command {
	var lostKey bool
	cmd := &cobra.Command{
		Use:   "quarantine LOCATION",
		Short: "Move a cache aside that can't be read, so that people can sign in again",
		Long: "Moves what is stored aside if it is damaged, and leaves it alone if it can be read. Nothing is deleted.\n" +
			"What can't be decrypted is moved with --lost-key only: the key may come back.",
		Example: "  msalext quarantine list LOCATION      what was moved aside, when and why\n" +
			"  msalext quarantine restore LOCATION   puts it back",
	}
	cmd.Flags().BoolVar(&lostKey, "lost-key", false, "move also what can't be decrypted")
	c.onItem(cmd, func(ctx context.Context, p *extensions.Persistence) error {
		move := extensions.NewPersistedTokenCache(p, nil).Quarantine
		if lostKey {
			move = p.Quarantine
		}
		movedTo, err := move(ctx)
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
	})
	cmd.AddCommand(c.quarantineList(), c.quarantineRestore())
	return cmd
}

func (c *command) quarantineList() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list LOCATION",
		Short: "List what was moved aside: size, when and why",
	}
	c.onStore(cmd, func(ctx context.Context, p *extensions.Persistence) error {
		all, err := p.Quarantined(ctx)
		if err != nil && len(all) == 0 { // "nothing was moved aside" would be a guess
			return err
		}
		copies := []quarantined{}
		for _, q := range all {
			copies = append(copies, quarantined{q.Name, q.Key, q.Size, q.Moved, q.Why})
		}
		if shown := c.emit(copies, func(w io.Writer) { c.showQuarantined(w, copies) }); err == nil {
			err = shown
		}
		return err
	})
	return cmd
}

type quarantined struct {
	Name  string    `json:"name"`
	Item  string    `json:"item"`
	Bytes int64     `json:"bytes"` // -1: not known
	Moved time.Time `json:"moved"`
	Why   string    `json:"why"`
}

func (c *command) showQuarantined(w io.Writer, all []quarantined) {
	if len(all) == 0 {
		fmt.Fprintln(w, "nothing was moved aside")
		return
	}
	t := table{header: []string{"NAME", "ITEM", "SIZE", "MOVED", "WHAT IS WRONG WITH IT"}}
	for _, q := range all {
		why := q.Why
		if why == "" {
			why = "it is encrypted: that shows once it is restored"
		}
		t.rows = append(t.rows, []string{filepath.Base(q.Name), itemName(q.Item), size(q.Bytes), when(q.Moved, time.Now()), why})
	}
	c.show(w, t)
}

// itemName is an item's key for people.
func itemName(key string) string {
	if key == "" {
		return "(main)"
	}
	return key
}
