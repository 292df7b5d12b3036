package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/msalext/msalext/msal/web/redisstore"
)

func (s *webSessions) clean() *cobra.Command {
	var of selection
	var yes bool
	cmd := &cobra.Command{
		Use:   "clean LOCATION",
		Short: "End sessions, and delete their tokens: people have to sign in again",
		Long: "Ends the sessions that began longer ago than --older-than, one person's (--email), one person's that\n" +
			"began so long ago (both), or all that are of no use (--invalid, alone). A session that somebody else\n" +
			"has signed in to meanwhile stays.\n\n" +
			"A web app may keep values of its own types in sessions, which this program can't decode; people may be\n" +
			"signed in to such a session, and it stays unless --unreadable asks for all of them, alone.",
		Args: location,
	}
	flags := s.flags(cmd)
	flags.DurationVar(&of.older, "older-than", 0, "end those that began longer ago, such as 720h")
	flags.StringVar(&of.email, "email", "", "end those with this address; another organization may have given it to somebody of its own")
	flags.BoolVar(&of.invalid, "invalid", false, "end those that are of no use")
	flags.BoolVar(&of.unreadable, "unreadable", false, "end those that can't be decoded here, though people may be signed in to them")
	flags.BoolVar(&yes, "yes", false, "don't ask")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := of.check(flags); err != nil {
			return err
		}
		all, done, err := s.open(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		defer done()
		chosen, err := of.choose(cmd.Context(), all)
		if err != nil {
			return err
		}
		if err := s.tellUnreadable(cmd.Context(), all, !of.unreadable && !of.invalid); err != nil {
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

// selection says which sessions are meant.
type selection struct {
	older               time.Duration
	email               string
	invalid, unreadable bool
}

// check demands conditions that say what they seem to. An empty one, as a script's
// variable may be, would end everybody's sessions.
func (of *selection) check(flags *pflag.FlagSet) error {
	aged, personal := flags.Changed("older-than"), flags.Changed("email")
	switch {
	case aged && of.older <= 0:
		return usage("--older-than takes more than 0, such as 720h")
	case personal && of.email == "":
		return usage("--email takes a person's address")
	case of.unreadable && (aged || personal || of.invalid):
		return usage("--unreadable goes alone: whose a session is, and how old, isn't known where it can't be decoded")
	case of.invalid && (aged || personal):
		return usage("--invalid goes with neither --email nor --older-than: whose a damaged session was, and how old it is, isn't known")
	case !of.invalid && !of.unreadable && !aged && !personal:
		return usage("say which: --older-than 720h, --email, --invalid or --unreadable")
	}
	return nil
}

// choose lists what would be ended: all that are of no use, or unreadable, or those
// that meet both of the other conditions, where both are given.
func (of *selection) choose(ctx context.Context, all *redisstore.Sessions) ([]redisstore.Session, error) {
	found := all.All(ctx)
	switch {
	case of.invalid:
		found = all.Invalid(ctx)
	case of.unreadable:
		found = all.Unreadable(ctx)
	case of.email != "":
		found = all.Find(ctx, of.email)
	}
	before := time.Now().Add(-of.older)
	var chosen []redisstore.Session
	for one, err := range found {
		switch {
		case err != nil:
			return nil, err
		case one.Err != nil && !of.invalid && !of.unreadable: // how old it is isn't known
		case of.older <= 0 || one.Record.Since.Before(before):
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

// tellUnreadable warns of sessions that were left out, where they may be meant.
func (s *webSessions) tellUnreadable(ctx context.Context, all *redisstore.Sessions, meant bool) error {
	if !meant {
		return nil
	}
	n := 0
	for _, err := range all.Unreadable(ctx) {
		if err != nil {
			return err
		}
		n++
	}
	if n > 0 {
		s.logger().Warn("sessions are left out that can't be decoded here: they may be meant as well", "sessions", n)
	}
	return nil
}
