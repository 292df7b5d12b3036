package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
)

func (c *command) quarantineRestore() *cobra.Command {
	var yes bool
	var name string
	cmd := &cobra.Command{
		Use:   "restore LOCATION [NAME]",
		Short: "Put back what was moved aside, and move aside what is there now",
		Long: "Puts a copy back as the item that it was, as it is. What is stored now takes its place in quarantine,\n" +
			"so that nothing is lost. NAME is one that msalext quarantine list shows, and is needed where there are several.",
	}
	yesFlag(cmd, &yes)
	cmd.Args = func(_ *cobra.Command, args []string) error {
		if len(args) == 0 || len(args) > 2 {
			return usage("%s given: name one LOCATION, and a copy by NAME", plural(len(args), "argument"))
		}
		if len(args) == 2 {
			name = args[1]
		}
		return nil
	}
	c.onStore(cmd, func(ctx context.Context, p *extensions.Persistence) error {
		q, err := chosen(ctx, p, name)
		if err != nil {
			return err
		}
		question := fmt.Sprintf("Put %s back as what %s keeps of %s, and move aside what is there now?", q.Name, p.Backend(), itemName(q.Key))
		if err := c.confirm(ctx, yes, question); err != nil {
			return err
		}
		return c.putBack(ctx, p.Key(q.Key), q)
	})
	return cmd
}

// chosen is the copy that was named, or the only one. A named one is taken also where
// others can't be listed, such as a file whose item doesn't show.
func chosen(ctx context.Context, p *extensions.Persistence, name string) (q extensions.Quarantined, err error) {
	all, err := p.Quarantined(ctx)
	matching := slices.DeleteFunc(slices.Clone(all), func(q extensions.Quarantined) bool {
		return name != "" && name != q.Name && name != filepath.Base(q.Name)
	})
	switch {
	case len(matching) == 1 && (err == nil || name != ""):
		return matching[0], nil
	case err != nil:
		return q, err
	case len(matching) == 0:
		return q, &backend.Error{Op: "restore", Backend: p.Backend(), Kind: backend.ErrNotFound, Err: errors.New("no such copy is in quarantine"),
			Hint: "msalext quarantine list tells of those that are"}
	}
	var names []string
	for _, q := range matching {
		names = append(names, q.Name)
	}
	return q, usage("several copies are in quarantine: name one of %s", strings.Join(names, ", "))
}

func (c *command) putBack(ctx context.Context, p *extensions.Persistence, q extensions.Quarantined) error {
	keptAs, err := p.Restore(ctx, q.Name)
	if err != nil {
		return err
	}
	answer := restored{Restored: q.Name, Item: q.Key, KeptAs: keptAs}
	return c.emit(answer, func(w io.Writer) {
		fmt.Fprintln(w, "restored", plain(q.Name))
		if keptAs != "" {
			fmt.Fprintln(w, "what was there is now", plain(keptAs))
		}
	})
}

type restored struct {
	Restored string `json:"restored"`
	Item     string `json:"item"`
	KeptAs   string `json:"kept_as,omitempty"`
}
