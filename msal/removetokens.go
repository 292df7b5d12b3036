package msal

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/msalext/msalext/extensions/tokencache"
)

// RemoveTokensForClient removes the application's own access tokens from the
// cache, those that [Confidential.ForClient] stored, in every tenant and under
// every name of the cloud, also those with special parameters. The next
// ForClient asks for a new one: after a permission was granted, for example,
// that the cached tokens don't have yet. It stands for MSAL Python's
// remove_tokens_for_client. The tokens of people stay. Nothing to remove is no
// error; those of the store are.
func (c *Confidential) RemoveTokensForClient(ctx context.Context) error {
	return c.cache.Modify(ctx, func(tc *tokencache.TokenCache) error {
		for _, special := range specialParameters(tc) {
			q := tokencache.Query{ClientID: c.clientID, Environment: c.host, Aliases: true,
				Fields: map[string]string{"home_account_id": "", "ext_cache_key": special}}
			for _, e := range tc.Search(q) {
				tc.Remove(e)
			}
		}
		return nil
	})
}

// specialParameters lists the hashes of special parameters that access tokens
// were asked for with, and "" for those without: a search doesn't find the
// others unless it names theirs.
func specialParameters(tc *tokencache.TokenCache) []string {
	var stored struct {
		AccessToken map[string]struct {
			Hash string `json:"ext_cache_key"`
		}
	}
	// An entry that isn't what it should be is no token of MSAL's; the others
	// are read all the same.
	_ = json.Unmarshal(tc.Serialize(), &stored)
	hashes := map[string]bool{"": true}
	for _, e := range stored.AccessToken {
		hashes[e.Hash] = true
	}
	return slices.Sorted(maps.Keys(hashes))
}
