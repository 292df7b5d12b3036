package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
)

func (c *command) migrate() *cobra.Command {
	var to target
	opts := &extensions.MigrateOptions{}
	cmd := &cobra.Command{
		Use:   "migrate FROM TO",
		Short: "Copy a cache to another store or place, and make that one the keeper",
		Long: "Copies every item from one store to another under the locks of both, reads the copies back, and\n" +
			"records the new store. FROM's store is the recorded one or --backend; TO's is --to-backend.\n" +
			"FROM and TO may be one location. Nothing is deleted without --delete-source.",
		Args: arguments(2, "the LOCATIONs to copy FROM and TO"),
	}
	flags := cmd.Flags()
	flags.StringVar(&to.backend, "to-backend", "", "the backend to copy to (required)")
	flags.StringVar(&to.preset, "to-preset", "", "the settings of other MSAL applications, for the target")
	flags.StringArrayVar(&to.settings, "to-set", nil, "a setting of the target's backend, NAME=VALUE; repeatable")
	flags.BoolVar(&opts.DryRun, "dry-run", false, "tell what would be copied, and change nothing")
	flags.BoolVar(&opts.AllowPlaintext, "allow-plaintext", false, "allow a target that doesn't encrypt")
	flags.BoolVar(&opts.DeleteSource, "delete-source", false, "delete what was copied and read back from FROM")
	_ = cmd.MarkFlagRequired("to-backend")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return c.move(cmd.Context(), args[0], args[1], to, opts)
	}
	return cmd
}

// target is what the flags say of the store to copy to.
type target struct {
	backend, preset string
	settings        []string
}

func (c *command) move(ctx context.Context, from, to string, t target, opts *extensions.MigrateOptions) error {
	source, err := c.open(ctx, from)
	if err != nil {
		return err
	}
	defer source.Close()
	settings, err := pairs(t.settings)
	if err != nil {
		return err
	}
	keeper, err := extensions.Open(ctx, t.backend, to, &extensions.Options{
		Preset: t.preset, Settings: map[string]backend.Settings{t.backend: settings}, Host: c.host(),
	})
	if err != nil {
		return err
	}
	defer keeper.Close()
	var items []string
	opts.Progress = func(done, total int, key string) {
		items = append(items, key)
		if terminal(c.err) {
			fmt.Fprintf(c.err, "\r%d of %d", done, total)
		}
	}
	err = extensions.Migrate(ctx, source, keeper.Key(c.key), opts)
	if len(items) > 0 && terminal(c.err) {
		fmt.Fprintln(c.err)
	}
	if err != nil {
		return err
	}
	answer := migrated{Items: len(items), To: keeper.Backend(), Encrypted: keeper.IsEncrypted(), DryRun: opts.DryRun, Deleted: opts.DeleteSource}
	return c.emit(answer, func(w io.Writer) { fmt.Fprintln(w, answer) })
}

type migrated struct {
	Items     int    `json:"items"`
	To        string `json:"to"`
	Encrypted bool   `json:"encrypted"`
	DryRun    bool   `json:"dry_run"`
	Deleted   bool   `json:"source_deleted"`
}

func (m migrated) String() string {
	how := "not encrypted"
	if m.Encrypted {
		how = "encrypted"
	}
	if m.DryRun {
		return fmt.Sprintf("%s would be copied to %s (%s)", plural(m.Items, "item"), m.To, how)
	}
	text := fmt.Sprintf("%s copied to %s (%s), which keeps the cache now", plural(m.Items, "item"), m.To, how)
	if m.Deleted {
		text += "; the source was deleted"
	}
	return text
}
