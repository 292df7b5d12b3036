package redisstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/msal"
)

// Token is an access token of a person who is signed in to a web app. fmt,
// log/slog and encoding/json print nothing of its value.
type Token struct {
	Value   string `json:"-"`
	Expires time.Time
	Scopes  []string
	Session Session // whose it is
}

// String tells until when the token is good.
func (t Token) String() string { return "access token until " + t.Expires.UTC().Format(time.RFC3339) }

// Format prints what String returns, whatever the verb.
func (t Token) Format(f fmt.State, _ rune) {
	_, _ = f.Write([]byte(t.String())) // fmt's own writers don't fail
}

// LogValue is what log/slog logs.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// Token returns an access token of a person for scopes of one API, and does what
// AccountToken does. It is for web apps that let one tenant in, whose addresses
// are its own: see Find.
//
// backend.ErrInvalid: people with different accounts are signed in with that
// address.
func (s *Sessions) Token(ctx context.Context, email string, scopes ...string) (Token, error) {
	return s.newest(ctx, s.Find(ctx, email), scopes)
}

// AccountToken returns an access token of a person, who is named by home account
// id as in FindAccount, for scopes of one API: that of the session that began
// last, or where that can't have one without the person, of the one before. What
// has to be refreshed for it is stored for all who use that session, merged with
// what they stored meanwhile.
//
// backend.ErrNotFound: that person isn't signed in, or all of their sessions need
// them. Other errors are those of the server and of the token store; what the
// identity provider answered is an *[msal.Error].
func (s *Sessions) AccountToken(ctx context.Context, account string, scopes ...string) (Token, error) {
	return s.newest(ctx, s.FindAccount(ctx, account), scopes)
}

// newest asks one session after the other, the newest first.
func (s *Sessions) newest(ctx context.Context, found iter.Seq2[Session, error], scopes []string) (Token, error) {
	if s.Tokens == nil || s.NewClient == nil {
		return Token{}, &backend.Error{Op: "find a token", Kind: backend.ErrInvalid,
			Err: errors.New("the token store or the client is missing"), Hint: "set Tokens and NewClient"}
	}
	all, err := ofOne(found)
	if err != nil {
		return Token{}, err
	}
	slices.SortFunc(all, func(a, b Session) int { return b.Record.Since.Compare(a.Record.Since) })
	var why error
	for _, session := range all {
		token, err := s.tokenOf(ctx, session, scopes)
		if err == nil || !errors.Is(err, msal.ErrNoToken) && !errors.Is(err, msal.ErrInteractionRequired) && !errors.Is(err, msal.ErrInvalidGrant) {
			return token, err
		}
		if why == nil {
			why = err
		}
	}
	return Token{}, &backend.Error{Op: "find a token", Kind: backend.ErrNotFound, Err: nobody(len(all), why),
		Hint: "the person has to sign in to the web app"}
}

// ofOne collects sessions, which have to be one person's: another organization may
// have given the same address to somebody of its own.
func ofOne(found iter.Seq2[Session, error]) ([]Session, error) {
	var all []Session
	for session, err := range found {
		if err != nil {
			return nil, err
		}
		if len(all) > 0 && session.Record.Account != all[0].Record.Account {
			return nil, &backend.Error{Op: "find a token", Kind: backend.ErrInvalid, Err: errors.New("several people have that address"),
				Hint: "name the account: list the sessions with that address to see whose they are"}
		}
		all = append(all, session)
	}
	return all, nil
}

func nobody(sessions int, why error) error {
	if sessions == 0 {
		return errors.New("nobody with that address or account is signed in")
	}
	return fmt.Errorf("none of %d sessions can have a token: %w", sessions, why)
}

// tokenOf asks for a token of one session.
func (s *Sessions) tokenOf(ctx context.Context, of Session, scopes []string) (_ Token, err error) {
	cache := persist.NewPersistedTokenCache(s.Tokens.Key(of.Record.TokenKey), nil)
	defer func() { err = errors.Join(err, cache.Close(context.WithoutCancel(ctx))) }()
	client, err := s.NewClient(cache)
	if err != nil {
		return Token{}, err
	}
	accounts, err := client.Accounts(ctx)
	if err != nil {
		return Token{}, err
	}
	i := slices.IndexFunc(accounts, func(a public.Account) bool { return a.HomeAccountID == of.Record.Account })
	if i < 0 {
		return Token{}, fmt.Errorf("the session's tokens are gone: %w", msal.ErrNoToken)
	}
	result, err := client.Silent(ctx, scopes, &msal.SilentOptions{Account: &accounts[i]})
	return Token{Value: result.AccessToken, Expires: result.ExpiresOn, Scopes: result.GrantedScopes, Session: of}, err
}
