package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/msal"
)

// Token is an access token of a person who is signed in to a web app.
type Token struct {
	Value   string
	Expires time.Time
	Scopes  []string
	Session Session // whose it is
}

// Token returns an access token of a person for scopes of one API: that of the
// session that began last, or where that can't have one without the person, of
// the one before. What has to be refreshed for it is stored for all who use that
// session, merged with what they stored meanwhile.
//
// backend.ErrNotFound: nobody with that address is signed in, or all of their
// sessions need the person. Other errors are those of the server and of the
// token store; what the identity provider answered is an *[msal.Error].
func (s *Sessions) Token(ctx context.Context, email string, scopes ...string) (Token, error) {
	if s.Tokens == nil || s.NewClient == nil {
		return Token{}, &backend.Error{Op: "find a token", Kind: backend.ErrInvalid,
			Err: errors.New("the token store or the client is missing"), Hint: "set Tokens and NewClient"}
	}
	var all []Session
	for found, err := range s.Find(ctx, email) {
		if err != nil {
			return Token{}, err
		}
		all = append(all, found)
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

func nobody(sessions int, why error) error {
	if sessions == 0 {
		return errors.New("nobody with that address is signed in")
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
	return Token{result.AccessToken, result.ExpiresOn, result.GrantedScopes, of}, err
}
