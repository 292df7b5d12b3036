package msal

import (
	"context"
	"strings"
	"time"

	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/extensions/tokencache"
)

// The process that redeemed a token has to receive the answer, take the lock
// and write: some milliseconds, or more on a busy machine.
const (
	patience   = time.Second
	firstPause = 5 * time.Millisecond
	longPause  = 100 * time.Millisecond
)

// newer returns the refresh token that replaced the last of those that were
// tried, and were refused, and the cache that has it; "" where there is none.
// earlier is the cache as it may have been when that one was read. With wait it
// looks again for a while, as long as ctx and the account live.
func (h *httpClient) newer(ctx context.Context, tried []string, earlier []persist.View, wait bool) (string, persist.View) {
	sent := sentFrom(earlier, tried)
	if sent == nil {
		return "", persist.View{}
	}
	deadline := time.Now().Add(patience)
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		view, err := h.cache.View(ctx)
		if err != nil {
			return "", view
		}
		newer, signedIn := sent.replacement(view)
		if newer != "" || !signedIn || !wait || time.Now().Add(pause).After(deadline) {
			return newer, view
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return "", view
		}
	}
}

// sentToken is a refresh token that was sent, as the cache had it.
type sentToken struct {
	tokencache.Entry

	stored map[string]bool // all refresh tokens of the account then, and those tried before
}

// sentFrom looks the last token that was tried up where MSAL may have had it
// from. Where it isn't found nobody knows whose it is, and another's must not be
// sent instead.
func sentFrom(earlier []persist.View, tried []string) *sentToken {
	secret := tried[len(tried)-1]
	for _, view := range earlier {
		tokens := refreshTokens(view, tokencache.Query{Fields: map[string]string{"secret": secret}})
		if len(tokens) == 0 {
			continue
		}
		sent := &sentToken{Entry: tokens[0], stored: map[string]bool{}}
		for _, old := range tried {
			sent.stored[old] = true
		}
		for _, e := range refreshTokens(view, sent.account()) {
			sent.stored[e.Secret()] = true
		}
		return sent
	}
	return nil
}

func (s *sentToken) account() tokencache.Query {
	return tokencache.Query{HomeAccountID: s.Field("home_account_id"), Environment: s.Field("environment"), Aliases: true}
}

// replacement returns the token that was stored since, if one was. signedIn
// tells that the account still has one that the client may use.
func (s *sentToken) replacement(view persist.View) (secret string, signedIn bool) {
	for _, e := range refreshTokens(view, s.account()) {
		if !s.sharedWith(e) {
			continue
		}
		signedIn = true
		if !s.stored[e.Secret()] {
			return e.Secret(), true
		}
	}
	return "", signedIn
}

// sharedWith tells whether who may use s may use e.
func (s *sentToken) sharedWith(e tokencache.Entry) bool {
	family := s.Field("family_id")
	return s.Field("user_assertion_hash") == e.Field("user_assertion_hash") &&
		(strings.EqualFold(s.Field("client_id"), e.Field("client_id")) || family != "" && family == e.Field("family_id"))
}

// refreshTokens searches what MSAL is given: of several copies of a token, the
// newest.
func refreshTokens(view persist.View, q tokencache.Query) []tokencache.Entry {
	var c tokencache.TokenCache
	if err := c.Deserialize(view.Readable()); err != nil {
		return nil // it was read before, to become a View
	}
	q.Section = tokencache.RefreshTokens
	return c.Search(q)
}
