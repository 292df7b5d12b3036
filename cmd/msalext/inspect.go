package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/tokencache"
)

func (c *command) inspect() *cobra.Command {
	var secrets bool
	cmd := &cobra.Command{
		Use:   "inspect LOCATION",
		Short: "Show what a token cache holds: accounts, tokens and when they expire",
		Long: "Shows accounts, tokens with their scopes and expiry, what protects the cache and who holds its lock.\n" +
			"Tokens themselves are shown with --show-secrets only, and only on a terminal.",
		Args: location,
	}
	cmd.Flags().BoolVar(&secrets, "show-secrets", false, "show the tokens themselves (on a terminal only)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if secrets && (c.json || !terminal(c.out)) {
			return usage("--show-secrets works on a terminal only; to keep the tokens in a file use msalext export")
		}
		p, err := c.open(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		defer p.Close()
		seen, err := look(cmd.Context(), p)
		if err != nil {
			return err
		}
		return c.emit(seen, func(w io.Writer) { c.show(w, seen, secrets) })
	}
	return cmd
}

// inspection is what inspect tells. It holds no token: those stay in entries.
type inspection struct {
	Location   string    `json:"location"`
	Backend    string    `json:"backend"`
	Encrypted  bool      `json:"encrypted"`
	Protection string    `json:"protection"`
	Bytes      int       `json:"bytes"`
	LockHolder string    `json:"lock_holder,omitempty"`
	Accounts   []account `json:"accounts"`
	Tokens     []token   `json:"tokens"`

	now time.Time
}

type account struct {
	Username    string `json:"username"`
	Home        string `json:"home_account_id"`
	Environment string `json:"environment"`
	Tenant      string `json:"tenant"`
}

type token struct {
	Kind        string     `json:"kind"`
	Client      string     `json:"client_id"`
	Username    string     `json:"username,omitempty"`
	Home        string     `json:"home_account_id,omitempty"`
	Environment string     `json:"environment"`
	Tenant      string     `json:"tenant,omitempty"`
	Scopes      string     `json:"scopes,omitempty"`
	Expires     *time.Time `json:"expires,omitempty"`
	Bytes       int        `json:"bytes"`

	entry tokencache.Entry
}

var tokenKinds = []struct {
	section tokencache.Section
	name    string
}{{tokencache.AccessTokens, "access"}, {tokencache.RefreshTokens, "refresh"}, {tokencache.IDTokens, "id"}}

func look(ctx context.Context, p *extensions.Persistence) (*inspection, error) {
	data, err := p.Load(ctx)
	if err != nil {
		return nil, err
	}
	var tc tokencache.TokenCache
	if err := tc.Deserialize(data); err != nil {
		return nil, &backend.Error{Op: "inspect", Backend: p.Backend(), Kind: backend.ErrCorrupt, Err: err,
			Hint: "msalext quarantine moves it aside"}
	}
	holder, err := p.LockHolder(ctx)
	if err != nil {
		return nil, err
	}
	seen := &inspection{
		Location: p.Location(), Backend: p.Backend(), Encrypted: p.IsEncrypted(), Protection: p.Protection().String(),
		Bytes: len(data), LockHolder: holder, Accounts: []account{}, Tokens: []token{}, now: time.Now(),
	}
	seen.list(&tc)
	return seen, nil
}

// list notes accounts, by name, and tokens, by kind and whose they are.
func (seen *inspection) list(tc *tokencache.TokenCache) {
	names := map[string]string{}
	for _, a := range tc.Accounts() {
		names[a.HomeAccountID] = a.Username
		seen.Accounts = append(seen.Accounts, account{a.Username, a.HomeAccountID, a.Environment, a.Realm})
	}
	slices.SortStableFunc(seen.Accounts, func(a, b account) int { return strings.Compare(a.Username, b.Username) })
	for _, kind := range tokenKinds {
		first := len(seen.Tokens)
		for _, e := range tc.Search(tokencache.Query{Section: kind.section}) {
			seen.Tokens = append(seen.Tokens, describe(kind.name, e, names))
		}
		slices.SortStableFunc(seen.Tokens[first:], func(a, b token) int { return strings.Compare(owner(a), owner(b)) })
	}
}

func describe(kind string, e tokencache.Entry, names map[string]string) token {
	home := e.Field("home_account_id")
	t := token{
		Kind: kind, Client: e.Field("client_id"), Username: names[home], Home: home,
		Environment: e.Field("environment"), Tenant: e.Field("realm"), Scopes: e.Field("target"), Bytes: len(e.Raw()), entry: e,
	}
	if at := e.Time("expires_on"); !at.IsZero() {
		t.Expires = &at
	}
	return t
}

func (c *command) show(w io.Writer, seen *inspection, secrets bool) {
	fmt.Fprintf(w, "%s\n%s: %s\n", c.color(bold, plain(seen.Location)), seen.Backend, plain(seen.Protection))
	fmt.Fprintf(w, "%s, %s, %s\n", size(seen.Bytes), plural(len(seen.Accounts), "account"), plural(len(seen.Tokens), "token"))
	if seen.LockHolder != "" {
		fmt.Fprintf(w, "locked by %s\n", seen.LockHolder)
	}
	var accounts [][]string
	for _, a := range seen.Accounts {
		accounts = append(accounts, []string{a.Username, a.Tenant, a.Environment, a.Home})
	}
	section(w, []string{"ACCOUNT", "TENANT", "ENVIRONMENT", "HOME ACCOUNT ID"}, accounts)
	header := []string{"TOKEN", "OF", "CLIENT", "SIZE", "EXPIRES", "SCOPES"}
	if secrets {
		header = append(header, "SECRET")
	}
	var tokens [][]string
	for _, t := range seen.Tokens {
		row := []string{t.Kind, owner(t), t.Client, size(t.Bytes), expiry(t, seen.now), t.Scopes}
		if secrets {
			row = append(row, t.entry.Secret())
		}
		tokens = append(tokens, row)
	}
	section(w, header, tokens)
}

// section is a table after an empty line, where there is something in it.
func section(w io.Writer, header []string, rows [][]string) {
	if len(rows) > 0 {
		fmt.Fprintln(w)
		table(w, header, rows)
	}
}

func owner(t token) string {
	switch {
	case t.Username != "":
		return t.Username
	case t.Home != "":
		return t.Home
	}
	return "the application"
}

// expiry is said of access tokens alone: the others don't tell.
func expiry(t token, now time.Time) string {
	switch {
	case t.Kind != "access":
		return ""
	case t.Expires == nil:
		return "not said"
	}
	return when(*t.Expires, now)
}
