package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions"
)

func (c *command) migrate() *cobra.Command {
	var to storeFlags
	var yes bool
	opts := &extensions.MigrateOptions{}
	cmd := &cobra.Command{
		Use:   "migrate FROM TO --to-backend BACKEND",
		Short: "Copy a cache to another store or place, and make that one the keeper",
		Long: "Copies every item from one store to another under the locks of both, reads the copies back, and\n" +
			"records the new store. FROM's store is the recorded one or --backend; TO's is --to-backend.\n" +
			"FROM and TO may be one location. Nothing is deleted without --delete-source, which asks.",
		Example: "  msalext migrate ~/.azure/msal_token_cache.json ~/.local/share/my-app/token-cache \\\n" +
			"      --preset azure-cli --backend file --to-backend libsecret",
		Args: arguments(2, "the LOCATIONs to copy FROM and TO"),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return c.move(cmd.Context(), args[0], args[1], to, yes, opts)
	}
	c.backendFlags(cmd)
	toFlags(cmd, &to)
	complete(cmd, "to-backend", c.backends)
	flags := cmd.Flags()
	flags.StringVar(&c.key, "key", "", "copy the item `KEY` alone, such as one user's cache")
	flags.StringArrayVar(&opts.Keys, "item", nil, "copy the item `KEY`, where the store lists none: then name all; repeatable")
	flags.BoolVar(&opts.DryRun, "dry-run", false, "tell what would be copied, and change nothing")
	flags.BoolVar(&opts.AllowPlaintext, "allow-plaintext", false, "allow a target that doesn't encrypt")
	flags.BoolVar(&opts.DeleteSource, "delete-source", false, "delete what was copied and read back from FROM")
	yesFlag(cmd, &yes)
	complete(cmd, "key", nil)
	complete(cmd, "item", nil)
	return cmd
}

// toFlags are those of the store to copy to.
func toFlags(cmd *cobra.Command, to *storeFlags) {
	flags := cmd.Flags()
	flags.StringVar(&to.backend, "to-backend", "", "the `BACKEND` to copy to")
	flags.StringVar(&to.preset, "to-preset", "", "as --preset, of the target (`PRESET`)")
	flags.StringArrayVar(&to.settings, "to-set", nil, "as --set, of the target (`NAME=VALUE`)")
	flags.StringArrayVar(&to.envelope, "to-envelope", nil, "encrypt in the target, with keys of this `SOURCE`: see msalext help key-sources")
	flags.StringVar(&to.envelopeID, "to-envelope-id", "", "as --envelope-id, of the target (`ID`)")
	_ = cmd.MarkFlagRequired("to-backend") // the flag is there
	complete(cmd, "to-preset", extensions.Presets)
	complete(cmd, "to-set", nil)
	complete(cmd, "to-envelope", keySourceNames)
	complete(cmd, "to-envelope-id", nil)
}

func (c *command) move(ctx context.Context, from, to string, t storeFlags, yes bool, opts *extensions.MigrateOptions) error {
	source, err := c.open(ctx, from)
	if err != nil {
		return err
	}
	defer source.Close()
	keeper, err := c.openStore(ctx, t.backend, to, t)
	if err != nil {
		return err
	}
	defer keeper.Close()
	if opts.DeleteSource && !opts.DryRun {
		question := fmt.Sprintf("Delete the tokens at %s, kept by %s, once they are copied?", source.Location(), source.Backend())
		if err := c.confirm(ctx, yes, question); err != nil {
			return err
		}
	}
	items := []string{}
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
	answer := migrated{Items: items, To: keeper.Backend(), Encrypted: keeper.IsEncrypted(), DryRun: opts.DryRun, Deleted: opts.DeleteSource && !opts.DryRun}
	return c.emit(answer, func(w io.Writer) { fmt.Fprintln(w, answer) })
}

type migrated struct {
	Items     []string `json:"items"`
	To        string   `json:"to"`
	Encrypted bool     `json:"encrypted"`
	DryRun    bool     `json:"dry_run"`
	Deleted   bool     `json:"source_deleted"`
}

func (m migrated) String() string {
	how := "not encrypted"
	if m.Encrypted {
		how = "encrypted"
	}
	items := plural(len(m.Items), "item")
	if m.DryRun {
		return fmt.Sprintf("%s would be copied to %s (%s)", items, m.To, how)
	}
	text := fmt.Sprintf("%s copied to %s (%s), which keeps the cache now", items, m.To, how)
	if m.Deleted {
		text += "; the source was deleted"
	}
	return text
}
