package web

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/msalext/msalext/extensions/tokencache"
	"github.com/msalext/msalext/msal"
)

const (
	// overtakenTime is how long another server may take to store a token that it
	// got, beyond the second that the client waits by itself: it may have to queue
	// for a database.
	overtakenTime  = 3 * time.Second
	overtakenPause = 50 * time.Millisecond
	// overtakenMost is how often in turn others may be faster.
	overtakenMost = 3
)

// silent is Silent, and once more where another server redeemed a refresh token
// that can be used once: nobody is to be signed out by that.
func (c *client) silent(ctx context.Context, scopes []string, o *msal.SilentOptions) (msal.Result, error) {
	result, err := c.Silent(ctx, scopes, o)
	for range overtakenMost {
		if err == nil || !c.overtaken(ctx, err) {
			break
		}
		result, err = c.Silent(ctx, scopes, o)
	}
	return result, err
}

// overtaken tells whether the cache has got another refresh token since err, which
// it waits for where err can mean a used one.
func (c *client) overtaken(ctx context.Context, err error) bool {
	refused, ok := errors.AsType[*msal.Error](err)
	if !ok || refused.Code != "invalid_grant" || refused.SubError != "" && refused.SubError != "bad_token" {
		return false
	}
	before, err := c.refreshTokens(ctx)
	for deadline := time.Now().Add(overtakenTime); err == nil && len(before) > 0 && time.Now().Before(deadline); {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(overtakenPause):
		}
		var now []string
		if now, err = c.refreshTokens(ctx); err == nil && !slices.Equal(before, now) {
			return len(now) > 0
		}
	}
	return false
}

// refreshTokens are those of the cache as it is now.
func (c *client) refreshTokens(ctx context.Context) ([]string, error) {
	entries, err := c.cache.Search(ctx, tokencache.Query{Section: tokencache.RefreshTokens})
	var secrets []string
	for _, e := range entries {
		secrets = append(secrets, e.Secret())
	}
	return slices.Sorted(slices.Values(secrets)), err
}
