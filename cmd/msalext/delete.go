package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions/backend"
)

func (c *command) delete() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "delete LOCATION",
		Short: "Delete a token cache: everybody has to sign in again",
		Args:  location,
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "don't ask")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		p, err := c.open(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		defer p.Close()
		if _, err := p.Load(cmd.Context()); errors.Is(err, backend.ErrNotFound) {
			return err
		}
		if err := c.confirm(yes, fmt.Sprintf("Delete the tokens at %s, kept by %s?", p.Location(), p.Backend())); err != nil {
			return err
		}
		if err := p.Delete(cmd.Context()); err != nil {
			return err
		}
		return c.emit(map[string]any{"deleted": p.Location()}, func(w io.Writer) { fmt.Fprintln(w, "deleted", plain(p.Location())) })
	}
	return cmd
}

// confirm asks before something is destroyed or trusted. Whoever isn't at a terminal says
// --yes.
func (c *command) confirm(yes bool, question string) error {
	if yes {
		return nil
	}
	if !terminal(c.in) {
		return usage("a person is asked first: pass --yes where nobody can be")
	}
	fmt.Fprintf(c.err, "%s [y/N] ", plain(question))
	answer, err := bufio.NewReader(c.in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
		return &backend.Error{Op: "confirm", Kind: backend.ErrDenied, Err: errors.New("nothing was changed")}
	}
	return nil
}
