package tokencache

import (
	"cmp"
	"slices"
	"strings"
)

// Account is an Account entry: a person, at one cloud, in one tenant.
type Account struct {
	HomeAccountID  string // "<object id>.<tenant id>", or the subject at ADFS
	Environment    string // host of the authority, as the library wrote it
	Realm          string // tenant: an id, a domain, or a word such as "organizations"
	LocalAccountID string // object id in that tenant
	Username       string // what the person signs in with; for display only
	AuthorityType  string // "MSSTS", "ADFS" or "DSTS"
	Name           string // for display; empty where the library stores none
}

// Accounts returns the accounts, sorted by home account, environment and
// realm. Entries that name no home account are left out. A person may be there
// more than once: for each tenant, and under each alias of the host.
func (c *TokenCache) Accounts() []Account {
	var found []Account
	for _, e := range c.sections[Accounts].all {
		if a := accountOf(e.raw); a.HomeAccountID != "" {
			found = append(found, a)
		}
	}
	slices.SortFunc(found, func(a, b Account) int {
		return cmp.Or(
			strings.Compare(a.HomeAccountID, b.HomeAccountID),
			strings.Compare(a.Environment, b.Environment),
			strings.Compare(a.Realm, b.Realm),
			strings.Compare(a.LocalAccountID, b.LocalAccountID),
			strings.Compare(a.Username, b.Username),
		)
	})
	return found
}

func accountOf(raw []byte) Account {
	var a Account
	for f := range fieldsOf(raw) {
		switch string(f.quoted) {
		case `"home_account_id"`:
			a.HomeAccountID = unquote(f.raw)
		case `"environment"`:
			a.Environment = unquote(f.raw)
		case `"realm"`:
			a.Realm = unquote(f.raw)
		case `"local_account_id"`:
			a.LocalAccountID = unquote(f.raw)
		case `"username"`:
			a.Username = unquote(f.raw)
		case `"authority_type"`:
			a.AuthorityType = unquote(f.raw)
		case `"name"`:
			a.Name = unquote(f.raw)
		}
	}
	return a
}

// RemoveAccount signs an account out: it removes its access tokens, ID tokens
// and accounts, in every tenant and under every alias of its environment, and
// its refresh tokens as far as they are clientID's or of a family of
// applications, as the MSAL libraries do. Without a clientID it removes all
// refresh tokens. Without an environment it does so at every cloud. It returns
// how many entries it removed: 0 where nothing is stored, or where account has
// no HomeAccountID. Application metadata stays.
func (c *TokenCache) RemoveAccount(account Account, clientID string) int {
	if account.HomeAccountID == "" {
		return 0
	}
	home, removed := strings.ToLower(account.HomeAccountID), 0
	for k := range AppMetadata {
		for i, e := range c.sections[k].all {
			f := factsOf(e.raw)
			p := f.person()
			if p.home != home || account.Environment != "" && p.cloud != cloud(account.Environment) {
				continue
			}
			if k == RefreshTokens && clientID != "" && f.family == "" && !strings.EqualFold(f.client, clientID) {
				continue
			}
			c.sections[k].drop(i)
			removed++
		}
	}
	if removed > 0 {
		c.stateChanged()
	}
	return removed
}
