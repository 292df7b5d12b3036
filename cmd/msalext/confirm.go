package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// confirm asks before something is destroyed or trusted. Whoever isn't at a terminal
// says --yes. An interrupt ends the question.
func (c *command) confirm(ctx context.Context, yes bool, question string) error {
	if yes {
		return nil
	}
	if !terminal(c.in) {
		return usage("a person is asked first: pass --yes where nobody can be")
	}
	fmt.Fprintf(c.err, "%s [y/N] ", plain(question))
	answered := make(chan error, 1)
	var answer string
	go func() {
		var err error
		answer, err = bufio.NewReader(c.in).ReadString('\n')
		answered <- err
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(c.err)
		return ctx.Err()
	case err := <-answered:
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
		return &codedError{"nothing was changed", exitDenied}
	}
	return nil
}
