package main

import (
	"context"
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
		Long: "Shows accounts, tokens with their scopes and expiry, what protects the cache, who wrote it last and who\n" +
			"holds its lock. Tokens themselves are shown with --show-secrets only, and only on a terminal.",
	}
	cmd.Flags().BoolVar(&secrets, "show-secrets", false, "show the tokens themselves (on a terminal only)")
	c.onItem(cmd, func(ctx context.Context, p *extensions.Persistence) error {
		seen, err := look(ctx, p)
		if err != nil {
			return err
		}
		return c.emit(seen, func(w io.Writer) { c.showInspection(w, seen, secrets) })
	})
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if secrets && (c.json || !terminal(c.out)) {
			return usage("--show-secrets works on a terminal only; to keep the tokens in a file use msalext export")
		}
		return nil
	}
	return cmd
}

// inspection is what inspect tells. It holds no token: those stay in entries.
type inspection struct {
	Location   string     `json:"location"`
	Backend    string     `json:"backend"`
	Encrypted  bool       `json:"encrypted"`
	Protection string     `json:"protection"`
	Bytes      int        `json:"bytes"`
	Written    *lastWrite `json:"last_write,omitempty"`
	LockHolder string     `json:"lock_holder,omitempty"`
	Accounts   []account  `json:"accounts"`
	Tokens     []token    `json:"tokens"`

	now time.Time
}

type lastWrite struct {
	At time.Time `json:"at"`
	By string    `json:"by,omitempty"` // empty: not by msalext
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
	seen := &inspection{
		Location: p.Location(), Backend: p.Backend(), Encrypted: p.IsEncrypted(), Protection: p.Protection().String(),
		Bytes: len(data), Accounts: []account{}, Tokens: []token{}, now: time.Now(),
	}
	if seen.LockHolder, err = p.LockHolder(ctx); err != nil {
		return nil, err
	}
	last, err := p.LastWrite(ctx)
	if err == nil && !last.At.IsZero() {
		seen.Written = &lastWrite{last.At, last.By}
	}
	seen.list(&tc)
	return seen, err
}

var tokenKinds = []struct {
	section tokencache.Section
	name    string
}{{tokencache.AccessTokens, "access"}, {tokencache.RefreshTokens, "refresh"}, {tokencache.IDTokens, "id"}}

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
