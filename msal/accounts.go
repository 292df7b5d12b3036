package msal

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/tokencache"
)

// Accounts lists who is signed in at the authority's cloud, each person once
// although the cache may have several entries of one: for each tenant, and
// under each name of the cloud. It stands for MSAL Python's get_accounts, and
// is there for both kinds of client. Nobody is signed in: nil.
func (a *application) Accounts(ctx context.Context) ([]public.Account, error) {
	entries, err := a.cache.Search(ctx, tokencache.Query{Section: tokencache.Accounts, Environment: a.host, Aliases: true})
	if err != nil {
		return nil, err
	}
	var people []public.Account
	for _, e := range entries {
		one := accountOf(e)
		at := slices.IndexFunc(people, func(p public.Account) bool { return strings.EqualFold(p.HomeAccountID, one.HomeAccountID) })
		switch {
		case one.HomeAccountID == "":
		case at < 0:
			people = append(people, one)
		case atHome(one) && !atHome(people[at]):
			people[at] = one
		}
	}
	return people, nil
}

// AccountsNamed is Accounts for those who sign in with a name, in whatever letter
// case: one person can have a work account and a personal one of the same name.
// It stands for get_accounts(username=…).
func (a *application) AccountsNamed(ctx context.Context, username string) ([]public.Account, error) {
	people, err := a.Accounts(ctx)
	return slices.DeleteFunc(people, func(p public.Account) bool { return !strings.EqualFold(p.PreferredUsername, username) }), err
}

// Remove signs an account out of the cache: every entry of the person goes, with
// every token of this application, in each tenant and under each name of the
// cloud. It stands for MSAL Python's remove_account. The browser, and other
// programs, stay signed in. An account without a HomeAccountID is
// backend.ErrInvalid, since it names nobody.
func (a *application) Remove(ctx context.Context, account public.Account) error {
	if account.HomeAccountID == "" {
		return &backend.Error{Op: "sign out", Kind: backend.ErrInvalid, Err: errors.New("the account has no HomeAccountID"), Hint: "take one of Accounts"}
	}
	return a.cache.RemoveAccount(ctx, tokencache.Account{HomeAccountID: account.HomeAccountID, Environment: account.Environment}, a.clientID)
}

func accountOf(e tokencache.Entry) public.Account {
	return public.Account{
		HomeAccountID: e.Field("home_account_id"), Environment: e.Field("environment"), Realm: e.Field("realm"),
		LocalAccountID: e.Field("local_account_id"), AuthorityType: e.Field("authority_type"), PreferredUsername: e.Field("username"),
		GivenName: e.Field("given_name"), FamilyName: e.Field("family_name"), MiddleName: e.Field("middle_name"), Name: e.Field("name"),
		AlternativeID: e.Field("alternative_account_id"), RawClientInfo: e.Field("client_info"),
	}
}

// atHome tells whether an entry is of the person's own tenant, where the local
// id is the one that everybody knows them by.
func atHome(a public.Account) bool {
	_, tenant, ok := strings.Cut(a.HomeAccountID, ".")
	return ok && strings.EqualFold(tenant, a.Realm)
}
