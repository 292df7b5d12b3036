package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions"
)

func (c *command) purge() *cobra.Command {
	var yes bool
	opts := &extensions.PurgeOptions{}
	cmd := &cobra.Command{
		Use:   "purge LOCATION",
		Short: "Remove everything that an application ever kept at a location",
		Long: "Removes all items, in files and in the key store, also those that nobody can read; what was moved\n" +
			"aside; locks, notes and temporary files; and the record of the backend. Shows the list, and asks.\n" +
			"Quit the application first. The directory stays, and so do an envelope's keys, which have a location\n" +
			"of their own. A database that doesn't open has to be removed by hand.",
	}
	yesFlag(cmd, &yes)
	cmd.Flags().BoolVar(&opts.DryRun, "dry-run", false, "list what would be removed, and change nothing")
	cmd.Flags().StringArrayVar(&opts.Keys, "item", nil, "remove also the item `KEY`, where the store doesn't list it; repeatable")
	complete(cmd, "item", nil)
	c.onStore(cmd, func(ctx context.Context, p *extensions.Persistence) error {
		if yes || opts.DryRun {
			return c.remove(ctx, p, opts)
		}
		return c.askAndRemove(ctx, p, opts)
	})
	return cmd
}

// askAndRemove shows what would go before it asks.
func (c *command) askAndRemove(ctx context.Context, p *extensions.Persistence, opts *extensions.PurgeOptions) error {
	if terminal(c.in) {
		foreseen, err := purged(ctx, p, extensions.PurgeOptions{DryRun: true, Keys: opts.Keys})
		if err != nil {
			return err
		}
		if len(foreseen) > 0 {
			c.show(c.err, removals(foreseen))
		}
	}
	question := fmt.Sprintf("Remove everything at %s for good? Everybody has to sign in again.", p.Location())
	if err := c.confirm(ctx, false, question); err != nil {
		return err
	}
	return c.remove(ctx, p, opts)
}

// remove tells also of what was removed before something failed.
func (c *command) remove(ctx context.Context, p *extensions.Persistence, opts *extensions.PurgeOptions) error {
	location := p.Location()
	all, err := purged(ctx, p, *opts)
	if err != nil && len(all) == 0 { // "nothing is there" would be a guess
		return err
	}
	answer := purgeAnswer{Location: location, DryRun: opts.DryRun, Removed: all}
	if shown := c.emit(answer, func(w io.Writer) { c.showPurge(w, answer) }); err == nil {
		err = shown
	}
	return err
}

func purged(ctx context.Context, p *extensions.Persistence, opts extensions.PurgeOptions) ([]removal, error) {
	all := []removal{}
	opts.Progress = func(was extensions.Purged) {
		all = append(all, removal{What: was.What, Name: was.Name, File: was.File, Bytes: was.Size})
	}
	return all, p.Purge(ctx, &opts)
}

type purgeAnswer struct {
	Location string    `json:"location"`
	DryRun   bool      `json:"dry_run"`
	Removed  []removal `json:"removed"`
}

type removal struct {
	What  string `json:"what"`
	Name  string `json:"name"`
	File  bool   `json:"file"`
	Bytes int64  `json:"bytes"` // -1: not known
}

func (c *command) showPurge(w io.Writer, p purgeAnswer) {
	switch {
	case len(p.Removed) == 0:
		fmt.Fprintln(w, "nothing is there")
		return
	case p.DryRun:
		c.show(w, removals(p.Removed))
		fmt.Fprintf(w, "\n%s would be removed\n", plural(len(p.Removed), "thing"))
	default:
		fmt.Fprintf(w, "%s removed from %s\n", plural(len(p.Removed), "thing"), plain(p.Location))
	}
}

func removals(all []removal) table {
	t := table{header: []string{"WHAT", "SIZE", "NAME"}}
	for _, r := range all {
		name := r.Name
		if !r.File {
			name = itemName(r.Name)
		}
		t.rows = append(t.rows, []string{r.What, size(r.Bytes), name})
	}
	return t
}
