package msal

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"

	"github.com/msalext/msalext/extensions/backend"
)

// withoutAccessTokens is the cache of a client that is to find no access token,
// and so redeems the refresh token. MSAL has no option for that. The client is
// one apart: another goroutine's call through the same one would not find its
// token either.
type withoutAccessTokens struct{ access }

var _ cache.ExportReplace = withoutAccessTokens{}

// Replace gives MSAL all but the access tokens, and after the issue all, so that
// Export tells the new token from those that it takes the place of.
func (a withoutAccessTokens) Replace(ctx context.Context, u cache.Unmarshaler, h cache.ReplaceHints) error {
	if currentCall().issued {
		return a.access.Replace(ctx, u, h)
	}
	own := a.plain()
	client := own.clients.of(u)
	client.mu.Lock()
	defer client.mu.Unlock()
	client.current = false
	view, err := own.cache.View(ctx)
	if err != nil {
		return err
	}
	aboutToRead(own.cache, view)
	if err := u.Unmarshal(butAccessTokens(view.Readable())); err != nil {
		return &backend.Error{Op: "load into MSAL", Kind: backend.ErrCorrupt, Err: fmt.Errorf("MSAL doesn't understand an entry of the token cache (%T)", err),
			Hint: "what is stored is kept; move it away to begin anew"}
	}
	client.base, client.comparable = view, true
	return nil
}

// butAccessTokens returns what MSAL reads without any access token: also without
// those that were asked for with special parameters, which a search hides.
func butAccessTokens(readable []byte) []byte {
	var members map[string]json.RawMessage
	if json.Unmarshal(readable, &members) != nil {
		return nil // nothing is stored
	}
	delete(members, "AccessToken")
	return object(members)
}
