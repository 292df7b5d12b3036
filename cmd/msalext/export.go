package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
)

func (c *command) export() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "export LOCATION --out FILE",
		Short: "Write a cache's tokens to a new file, in plain text",
		Long: "Writes what is stored, decrypted, to a new file that only you can read (0600). It is never\n" +
			"written to a terminal, a pipe or a file that exists.",
	}
	cmd.Flags().StringVar(&out, "out", "", "the `FILE` to create")
	_ = cmd.MarkFlagRequired("out") // the flag is there
	return c.onItem(cmd, func(ctx context.Context, p *extensions.Persistence) error {
		if out == "" || out == "-" {
			return usage("--out names a new file: tokens are never written to a terminal or a pipe")
		}
		path, err := filepath.Abs(out)
		if err != nil {
			return err
		}
		data, err := p.Load(ctx)
		if err != nil {
			return err
		}
		switch _, err := atomicfile.Write(ctx, path, data, backend.None); {
		case errors.Is(err, backend.ErrConflict):
			return usage("%s exists already: name a new file", path)
		case err != nil:
			return err
		}
		return c.emit(map[string]any{"written": path, "bytes": len(data)}, func(w io.Writer) {
			fmt.Fprintf(w, "%s written to %s, in plain text: delete it when you are done\n", size(int64(len(data))), plain(path))
		})
	})
}
