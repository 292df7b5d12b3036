package msal_test

import (
	"errors"
	"testing"
	"time"

	msalcache "github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// refreshing makes each silent call a refresh: MSAL caches no access token that
// lives so shortly.
var refreshing = &msaltest.Options{ExpiresIn: time.Minute}

// TestDefectsBetweenProcesses: each client is that of a process of its own.
func TestDefectsBetweenProcesses(t *testing.T) {
	t.Parallel()
	testDefects(t, []defect{
		{"lost update", nil, lostUpdate, alice, alice + " " + bob},
		{"sign-out during a silent refresh", refreshing, signOutDuringRefresh, alice, ""},
		{"loser of a rotation", &msaltest.Options{ExpiresIn: time.Minute, SingleUseRefreshTokens: true}, rotationLoser, "invalid_grant", "refreshed"},
		{"an alias of the host survives the sign-out", refreshing, aliasSignOut, "refreshed", "no token"},
		{"the same, of the account that a sign-in returned", refreshing, signOutOfResult, "refreshed", "no token"},
		{"a store for each partition key", nil, partitionKeys, "no token", "from the cache"},
		{"a store that can't be written", nil, storeThatFails, "the token is lost", "the token"},
	})
}

// lostUpdate has somebody sign in elsewhere between MSAL's last read and its
// write.
func lostUpdate(s *side) string {
	other := s.client()
	s.signIn(s.clientWith(meanwhile{s.accessor(), func() { s.signIn(other, bob) }}), alice)
	return s.people()
}

// signOutDuringRefresh: MSAL reads once more before it writes, and finds the
// account gone; then it adds the account again.
func signOutDuringRefresh(s *side) string {
	other := s.client()
	account := s.signIn(other, alice).Account
	network := interrupted{s.srv.Client(), func() {
		if err := other.RemoveAccount(s.Context(), account); err != nil {
			s.Error(err)
		}
	}}
	if got := s.silently(s.over(s.srv.Authority(), network, false), scopes[0], account); got != "refreshed" {
		s.Errorf("the refresh: %s", got)
	}
	return s.people()
}

// rotationLoser redeems a refresh token that another process has redeemed an
// instant before.
func rotationLoser(s *side) string {
	winner := s.client()
	account := s.signIn(winner, alice).Account
	raced := false
	var network msal.Doer = interrupted{s.srv.Client(), func() {
		if !raced {
			raced = true
			s.silently(winner, scopes[0], account)
		}
	}}
	if s.ours {
		c, _ := s.cache(nil)
		network = msal.HTTPClient(c, network)
	}
	return s.silently(s.over(s.srv.Authority(), network, false), scopes[0], account)
}

// aliasSignOut: another library stores under another name of the same cloud.
func aliasSignOut(s *side) string {
	const tenant = "/" + msaltest.DefaultTenant
	s.signIn(s.over("https://login.windows.net"+tenant, s.srv.CloudClient(), true), alice)
	client := s.over("https://login.microsoftonline.com"+tenant, s.srv.CloudClient(), true)
	s.signIn(client, alice)
	account := s.account(client, alice)
	if err := client.RemoveAccount(s.Context(), account); err != nil {
		s.Fatal(err)
	}
	again := s.over("https://login.microsoftonline.com"+tenant, s.srv.CloudClient(), true)
	return s.silently(again, "Mail.Read", account)
}

// signOutOfResult is aliasSignOut with our own client: that which is stored can be
// under another name than the one that a sign-in returns.
func signOutOfResult(s *side) string {
	const tenant = "/" + msaltest.DefaultTenant
	s.signIn(s.over("https://login.windows.net"+tenant, s.srv.CloudClient(), true), alice)
	client := s.over("https://login.microsoftonline.com"+tenant, s.srv.CloudClient(), true)
	account := s.signIn(client, alice).Account
	remove := client.RemoveAccount
	if s.ours {
		c, _ := s.cache(nil)
		p := s.public(&msal.Options{Authority: "https://login.microsoftonline.com" + tenant, HTTPClient: s.srv.CloudClient(), Cache: c})
		remove = p.Remove
	}
	if err := remove(s.Context(), account); err != nil {
		s.Fatal(err)
	}
	account.Environment = "login.windows.net"
	return s.silently(client, "Mail.Read", account)
}

// partitioned stores under what MSAL suggests as a key, as its documentation
// has it.
type partitioned struct{ plainFile }

func (p partitioned) Replace(ctx ctxt, to msalcache.Unmarshaler, h msalcache.ReplaceHints) error {
	return plainFile{p.path + h.PartitionKey}.Replace(ctx, to, h)
}

func (p partitioned) Export(ctx ctxt, from msalcache.Marshaler, h msalcache.ExportHints) error {
	return plainFile{p.path + h.PartitionKey}.Export(ctx, from, h)
}

// partitionKeys: MSAL writes a sign-in under another key than it looks under
// for the same person.
func partitionKeys(s *side) string {
	join := s.accessor
	if !s.ours {
		join = func() msalcache.ExportReplace { return partitioned{plainFile{s.path}} }
	}
	account := s.signIn(s.clientWith(join()), alice).Account
	return s.silently(s.clientWith(join()), scopes[0], account)
}

// full is a disk that nothing can be written to.
type full struct{ plainFile }

func (full) Export(ctxt, msalcache.Marshaler, msalcache.ExportHints) error {
	return errors.New("no space left on device")
}

func storeThatFails(s *side) string {
	client := s.clientWith(full{plainFile{s.path}})
	if s.ours {
		c, shelf := s.cache(quiet)
		shelf.fail(nil, errFull)
		s.Cleanup(func() { shelf.fail(nil, nil) })
		client = s.clientOf(c)
	}
	if r, err := byPassword(s.Context(), client, alice); err != nil || r.AccessToken == "" {
		return "the token is lost"
	}
	return "the token"
}
