package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

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
		Args: location,
	}
	cmd.Flags().StringVar(&out, "out", "", "the file to create")
	_ = cmd.MarkFlagRequired("out")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		path, err := filepath.Abs(out)
		if err != nil {
			return err
		}
		p, err := c.open(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		defer p.Close()
		data, err := p.Load(cmd.Context())
		if err != nil {
			return err
		}
		switch _, err := atomicfile.Write(cmd.Context(), path, data, backend.None); {
		case errors.Is(err, backend.ErrConflict):
			return usage("%s exists already: name a new file", path)
		case err != nil:
			return err
		}
		return c.emit(map[string]any{"written": path, "bytes": len(data)}, func(w io.Writer) {
			fmt.Fprintf(w, "%s written to %s, in plain text: delete it when you are done\n", size(len(data)), path)
		})
	}
	return cmd
}
