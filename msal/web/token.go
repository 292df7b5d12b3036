package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/msalext/msalext/msal"
)

// Token is an access token. fmt and log/slog print nothing of its value, and
// encoding/json leaves it out.
type Token struct {
	Value   string `json:"-"`
	Expires time.Time
}

// String tells until when the token is good.
func (t Token) String() string { return "access token until " + t.Expires.UTC().Format(time.RFC3339) }

// Format prints what String returns, whatever the verb.
func (t Token) Format(f fmt.State, _ rune) {
	_, _ = f.Write([]byte(t.String())) // fmt's own writers don't fail
}

// LogValue is what log/slog logs.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// Token returns an access token for scopes of one API; none: those of
// Config.GraphScopes. As long as the one that is stored is valid it sends
// nothing; else one refresh serves all who ask in this process, and other
// processes find what it brought.
//
// [ErrSignIn]: nobody is signed in, or the identity provider wants to see the
// person again; give the error to [App.Deny]. Other errors are trouble on the
// way, or with the store.
func (s *Session) Token(ctx context.Context, scopes ...string) (Token, error) {
	return s.token(ctx, ask{}, scopes)
}

// ask is what a token can be asked for besides scopes; both may be empty.
type ask struct{ claims, tenant string }

func (s *Session) token(ctx context.Context, more ask, scopes []string) (Token, error) {
	record := s.record.Load()
	if record.TokenKey == "" {
		return Token{}, fmt.Errorf("msalext: acquiring a token: %w", ErrSignIn)
	}
	if len(scopes) == 0 {
		scopes = s.app.cfg.GraphScopes
	}
	key := flightKey{record.TokenKey, strings.Join(slices.Sorted(slices.Values(scopes)), " "), more}
	return s.app.flights.do(ctx, key, func(ctx context.Context) (Token, error) {
		return s.app.acquire(ctx, record, scopes, more)
	})
}

func (a *App) acquire(ctx context.Context, record *Record, scopes []string, more ask) (Token, error) {
	c, err := a.clientOf(ctx, record.TokenKey)
	if err != nil {
		return Token{}, err
	}
	if err := c.find(ctx, record.Account); err != nil {
		return Token{}, signInAgain(err, more.claims)
	}
	result, err := c.silent(ctx, scopes, &msal.SilentOptions{Account: c.account, Claims: more.claims, TenantID: more.tenant})
	if err != nil {
		return Token{}, signInAgain(err, more.claims)
	}
	return Token{Value: result.AccessToken, Expires: result.ExpiresOn}, nil
}

// find looks for the account, once.
func (c *client) find(ctx context.Context, account string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.account != nil {
		return nil
	}
	people, err := c.Accounts(ctx)
	if err != nil {
		return err
	}
	for _, one := range people {
		if one.HomeAccountID == account {
			c.account = &one
			return nil
		}
	}
	return msal.ErrNoToken
}

// signInAgain tells errors that a person can mend from the others.
func signInAgain(err error, claims string) error {
	refused, _ := errors.AsType[*msal.Error](err)
	needed := errors.Is(err, msal.ErrNoToken) || errors.Is(err, msal.ErrInteractionRequired)
	if refused != nil {
		claims = cmp.Or(refused.Claims, claims)
	}
	switch {
	case needed && claims != "":
		return &ClaimsError{Claims: claims, Err: err}
	case needed:
		return fmt.Errorf("msalext: acquiring a token: %w: %w", ErrSignIn, err)
	}
	return fmt.Errorf("msalext: acquiring a token: %w", err)
}
