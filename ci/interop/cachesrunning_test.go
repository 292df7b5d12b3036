//go:build interop

package interop_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/msal/msaltest"
)

// remembers is what a running program of a peer does after somebody signed
// alice out elsewhere.
type remembers struct {
	lists  bool // names her among the accounts, once it has read the new cache
	silent bool // hands her token out
	revive bool // brings her back with its next sign-in of somebody else
}

// TestRunningPeers: MSAL4J and msal-node add what they read to what they have
// in memory. An entry that others removed stays there, and the next write
// stores it again. MSAL4J never forgets; msal-node does when it is asked for a
// token. Nothing that we could write would tell them. Whoever signs out where
// such a program runs has to sign out there.
func TestRunningPeers(t *testing.T) {
	want := map[string]remembers{
		python: {},
		node:   {lists: true, revive: true},
		java:   {lists: true, silent: true, revive: true},
		plain:  {},
	}
	for _, peer := range cachePeers(t) {
		t.Run(peer.name, func(t *testing.T) {
			t.Parallel()
			p, theirs := signedOutElsewhere(t, peer)
			got := remembers{lists: slices.Contains(theirs.accounts(), alice)}
			theirs.signIn(carol)
			got.revive = slices.Contains(p.ours(peer.preset).accounts(), alice)

			_, theirs = signedOutElsewhere(t, peer)
			got.silent = theirs.silent(alice) != ""
			if got != want[peer.name] {
				t.Errorf("got %+v, want %+v", got, want[peer.name])
			}
		})
	}
}

// signedOutElsewhere returns a running program of the peer, which signed alice
// and bob in, and a cache from which alice was signed out by us.
func signedOutElsewhere(t *testing.T, peer cachePeer) (*place, app) {
	t.Helper()
	p := newPlace(t, tenantID, nil)
	theirs := p.start(peer)
	theirs.signIn(alice)
	theirs.signIn(bob)
	p.awaitCached()
	p.ours(peer.preset).signOut(alice)
	return p, theirs
}

// TestPeersSignOutOfBoth: MSAL for Go and Python call the host what the
// authority calls it, the others what the cloud prefers, login.windows.net.
// So an account signed in here whose tokens Node refreshed has entries under
// both names. Signing out in Node removes what is under the account's, and
// leaves tokens under the other. Ours and MSAL4J's sign-out take all of them.
func TestPeersSignOutOfBoth(t *testing.T) {
	want := map[string][]string{node: {"AccessToken", "RefreshToken"}}
	for _, peer := range cachePeers(t) {
		t.Run(peer.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, tenantID, &msaltest.Options{ExpiresIn: time.Minute})
			p.ours(peer.preset).signIn(alice)
			theirs := p.start(peer)
			if theirs.silent(alice) == "" {
				t.Fatal("no token")
			}
			theirs.signOut(alice)
			var left []string
			for section, entries := range p.entries() {
				for _, entry := range entries {
					if strings.Contains(string(entry), msaltest.HomeAccountID(alice)) {
						left = append(left, section)
					}
				}
			}
			slices.Sort(left)
			if diff := cmp.Diff(want[peer.name], left); diff != "" {
				t.Error(diff)
			}
			if got := p.ours(peer.preset).accounts(); len(got) > 0 {
				t.Errorf("still signed in: %q", got)
			}
		})
	}
}
