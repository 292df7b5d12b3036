package main

import (
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/msal/web/redisstore"
)

// maybeLocation demands at most one.
func maybeLocation(_ *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usage("%d arguments are given: name at most one LOCATION, of the app's tokens", len(args))
	}
	return nil
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

func (s *webSessions) list() *cobra.Command {
	var email string
	var invalid bool
	cmd := &cobra.Command{
		Use:   "list [LOCATION]",
		Short: "List who is signed in: everybody, one person, or the sessions that are of no use",
		Long: "Lists sessions, the newest first. Their names, which would let a reader in, aren't shown.\n" +
			"With LOCATION, --invalid also finds the sessions whose tokens are gone. Sessions that can't be decoded\n" +
			"here, since the web app keeps values of its own types in them, are listed without who is signed in.",
		Args: maybeLocation,
	}
	flags := s.flags(cmd)
	flags.StringVar(&email, "email", "", "list those with this address; with --json, home_account_id tells whose they are")
	flags.BoolVar(&invalid, "invalid", false, "list those that are of no use")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if email != "" && invalid {
			return usage("--email and --invalid don't go together: who a damaged session was of isn't known")
		}
		all, done, err := s.open(cmd.Context(), first(args))
		if err != nil {
			return err
		}
		defer done()
		found := all.All(cmd.Context())
		switch {
		case invalid:
			found = all.Invalid(cmd.Context())
		case email != "":
			found = all.Find(cmd.Context(), email)
		}
		list := []session{}
		for one, err := range found {
			if err != nil {
				return err
			}
			list = append(list, describeSession(one))
		}
		if err := s.tellUnreadable(cmd.Context(), all, email != ""); err != nil {
			return err
		}
		slices.SortStableFunc(list, func(a, b session) int { return b.Since.Compare(a.Since) })
		return s.emit(list, func(w io.Writer) { s.showSessions(w, list) })
	}
	return cmd
}

// session is what is told of one. It lets nobody in.
type session struct {
	Mark     string    `json:"mark"`
	Email    string    `json:"email,omitempty"`
	Name     string    `json:"name,omitempty"`
	Account  string    `json:"home_account_id,omitempty"`
	TokenKey string    `json:"token_key,omitempty"`
	Since    time.Time `json:"since,omitzero"`
	Expires  time.Time `json:"expires,omitzero"`
	Problem  string    `json:"problem,omitempty"`
}

func describeSession(of redisstore.Session) session {
	r := of.Record
	s := session{Mark: of.Mark, Email: r.Email, Name: r.Name, Account: r.Account, TokenKey: r.TokenKey, Since: r.Since, Expires: of.Expires}
	if of.Err != nil {
		s.Problem = strings.TrimPrefix(of.Err.Error(), redisstore.ErrUnusable.Error()+": ")
	}
	return s
}

func (s *webSessions) showSessions(w io.Writer, list []session) {
	now := time.Now()
	t := table{header: []string{"SESSION", "EMAIL", "NAME", "SIGNED IN", "ENDS", "PROBLEM"}}
	for _, one := range list {
		t.rows = append(t.rows, []string{one.Mark, one.Email, one.Name, when(one.Since, now), when(one.Expires, now), one.Problem})
	}
	s.show(w, t)
}
