package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/msal/web/redisstore"
)

func (s *webSessions) clean() *cobra.Command {
	var older time.Duration
	var email string
	var invalid, yes bool
	cmd := &cobra.Command{
		Use:   "clean LOCATION",
		Short: "End sessions, and delete their tokens: people have to sign in again",
		Long: "Ends the sessions that began longer ago than --older-than, one person's (--email), or those that are\n" +
			"of no use (--invalid). A session that somebody else has signed in to meanwhile stays.",
		Args: location,
	}
	flags := s.flags(cmd)
	flags.DurationVar(&older, "older-than", 0, "end those that began longer ago, such as 720h")
	flags.StringVar(&email, "email", "", "end this person's")
	flags.BoolVar(&invalid, "invalid", false, "end those that are of no use")
	flags.BoolVar(&yes, "yes", false, "don't ask")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !invalid && email == "" && older <= 0 {
			return usage("say which: --older-than 720h, --email or --invalid")
		}
		all, done, err := s.open(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		defer done()
		chosen, err := choose(cmd.Context(), all, older, email, invalid)
		if err != nil {
			return err
		}
		if len(chosen) > 0 {
			if err := s.confirm(cmd.Context(), yes, fmt.Sprintf("End %s?", plural(len(chosen), "session"))); err != nil {
				return err
			}
		}
		n, err := end(cmd.Context(), all, chosen)
		if err != nil {
			return err
		}
		return s.emit(map[string]any{"ended": n}, func(w io.Writer) { fmt.Fprintln(w, plural(n, "session"), "ended") })
	}
	return cmd
}

// choose lists what would be ended: each condition that is given narrows it.
func choose(ctx context.Context, all *redisstore.Sessions, older time.Duration, email string, invalid bool) ([]redisstore.Session, error) {
	found := all.All(ctx)
	switch {
	case invalid:
		found = all.Invalid(ctx)
	case email != "":
		found = all.Find(ctx, email)
	}
	before := time.Now().Add(-older)
	var chosen []redisstore.Session
	for one, err := range found {
		switch {
		case err != nil:
			return nil, err
		case one.Err != nil && !invalid: // how old it is isn't known
		case older <= 0 || one.Record.Since.Before(before):
			chosen = append(chosen, one)
		}
	}
	return chosen, nil
}

func end(ctx context.Context, all *redisstore.Sessions, chosen []redisstore.Session) (n int, err error) {
	for _, one := range chosen {
		ended, err := all.End(ctx, one)
		if ended {
			n++
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}
