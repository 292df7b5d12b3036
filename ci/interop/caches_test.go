//go:build interop

package interop_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/msal/msaltest"
)

// both runs a test with a peer as the first program on a cache and ours as the
// second, and the other way round. start begins another program of the first.
func both(t *testing.T, tenant string, o *msaltest.Options, test func(p *place, peer cachePeer, first, second func() app)) {
	for _, peer := range cachePeers(t) {
		t.Run(peer.name+" then ours", func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, tenant, o)
			test(p, peer, func() app { return p.start(peer) }, func() app { return p.ours(peer.preset) })
		})
		t.Run("ours then "+peer.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, tenant, o)
			test(p, peer, func() app { return p.ours(peer.preset) }, func() app { return p.start(peer) })
		})
	}
}

// TestSilent: a token that one of them got, the other takes from the cache,
// without asking for any.
func TestSilent(t *testing.T) {
	both(t, tenantID, nil, func(p *place, _ cachePeer, first, second func() app) {
		token := first().signIn(alice)
		p.awaitCached()
		before := p.srv.Count(msaltest.KindToken)
		reader := second()
		if got := reader.silent(alice); got != token {
			p.Errorf("got %q, want %q", got, token)
		}
		if diff := cmp.Diff([]string{alice}, reader.accounts()); diff != "" {
			p.Error(diff)
		}
		if n := p.srv.Count(msaltest.KindToken) - before; n > 0 {
			p.Errorf("%d token requests", n)
		}
	})
}

// TestApplication: an application's own token is shared, but not ours with
// Python and Node. MSAL for Go writes no home account in it, Python looks for a
// null there and Node for "". They ask for a token of their own, once.
func TestApplication(t *testing.T) {
	both(t, tenantID, nil, func(p *place, peer cachePeer, first, second func() app) {
		writer := first()
		_, oursFirst := writer.(*goApp)
		want := 0
		if oursFirst && (peer.name == python || peer.name == node) {
			want = 1
		}
		token := writer.application()
		before := p.srv.Count(msaltest.KindToken)
		for range 2 {
			p.awaitCached()
			if got := second().application(); (got == token) != (want == 0) {
				p.Errorf("the same token: %v", got == token)
			}
		}
		if n := p.srv.Count(msaltest.KindToken) - before; n != want {
			p.Errorf("%d token requests, not %d", n, want)
		}
	})
}

// TestSilentByTenantName: where the authority has a domain, or organizations,
// MSAL for Go, Python and Java file access tokens under that name, and Node
// under the tenant's id that the token has. So Node and Go each redeem the
// other's refresh token, and have an access token of their own from then on.
func TestSilentByTenantName(t *testing.T) {
	tenants := []string{"contoso.example", "organizations"}
	if testing.Short() {
		tenants = tenants[:1]
	}
	for _, tenant := range tenants {
		t.Run(tenant, func(t *testing.T) {
			both(t, tenant, nil, func(p *place, peer cachePeer, first, second func() app) {
				want := 0
				if peer.name == node {
					want = 1
				}
				first().signIn(alice)
				p.awaitCached()
				before := p.srv.Count(msaltest.KindToken)
				reader := second()
				for range 2 {
					if reader.silent(alice) == "" {
						p.Error("no token")
					}
					p.awaitCached()
				}
				if n := p.srv.Count(msaltest.KindToken) - before; n != want {
					p.Errorf("%d token requests, not %d", n, want)
				}
			})
		})
	}
}

// TestRotation: access tokens that are too short-lived to be used, and refresh
// tokens that can be redeemed once. Whoever comes has to find the one that the
// other got last.
func TestRotation(t *testing.T) {
	o := &msaltest.Options{ExpiresIn: time.Minute, SingleUseRefreshTokens: true}
	both(t, tenantID, o, func(p *place, peer cachePeer, first, second func() app) {
		running := []app{first(), second()}
		running[0].signIn(alice)
		for range 3 {
			for i, start := range []func() app{second, first} {
				app := running[1-i]
				if peer.name == java {
					app = start() // see TestRunningPeers
				}
				before := p.srv.Count(msaltest.KindTokenRefresh)
				if app.silent(alice) == "" {
					p.Fatal("no token")
				}
				if n := p.srv.Count(msaltest.KindTokenRefresh) - before; n != 1 {
					p.Errorf("%d refresh requests", n)
				}
			}
		}
	})
}

// TestSignOut: who signed out at one of them is signed out at the other,
// nothing of theirs is left, and nobody else is signed out.
func TestSignOut(t *testing.T) {
	both(t, tenantID, nil, func(p *place, _ cachePeer, first, second func() app) {
		writer, other := first(), second()
		for _, who := range []string{alice, bob} {
			writer.signIn(who)
		}
		p.awaitCached()
		if diff := cmp.Diff([]string{alice, bob}, other.accounts()); diff != "" {
			p.Fatal(diff)
		}
		other.signOut(alice)
		p.nothingLeftOf(alice)
		writer = first() // what a running one knows is for TestRunningPeers
		if diff := cmp.Diff([]string{bob}, writer.accounts()); diff != "" {
			p.Error(diff)
		}
		if writer.silent(alice) != "" {
			p.Error("alice still has a token")
		}
		if writer.silent(bob) == "" {
			p.Error("bob has none any more")
		}
	})
}

// TestSignOutOfBoth: after a refresh by each, the cache holds tokens under
// what either calls the host. A sign-out takes all of them.
func TestSignOutOfBoth(t *testing.T) {
	o := &msaltest.Options{ExpiresIn: time.Minute}
	both(t, tenantID, o, func(p *place, peer cachePeer, first, second func() app) {
		writer, other := first(), second()
		writer.signIn(alice)
		other.silent(alice)
		other.signIn(bob)
		ours := p.ours(peer.preset)
		ours.signOut(alice)
		p.nothingLeftOf(alice)
		if diff := cmp.Diff([]string{bob}, first().accounts()); diff != "" {
			p.Error(diff)
		}
	})
}

func (p *place) nothingLeftOf(user string) {
	p.Helper()
	for section, entries := range p.entries() {
		for key, entry := range entries {
			if strings.Contains(string(entry), msaltest.HomeAccountID(user)) {
				p.Errorf("left of %s in %s: %s", user, section, key)
			}
		}
	}
}

// TestForeignEntriesStay: what is written here beside a peer's entries leaves
// them as they are, byte for byte, and the peer goes on using them.
func TestForeignEntriesStay(t *testing.T) {
	for _, peer := range cachePeers(t) {
		t.Run(peer.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, tenantID, nil)
			theirs := p.start(peer)
			token := theirs.signIn(alice)
			p.awaitCached()
			before := p.entries()
			ours := p.ours(peer.preset)
			ours.signIn(bob)
			ours.signOut(bob)
			ours.signIn(carol)
			after := p.entries()
			for section, entries := range before {
				for key, entry := range entries {
					if diff := cmp.Diff(string(entry), string(after[section][key])); diff != "" {
						t.Errorf("%s %s: %s", section, key, diff)
					}
				}
			}
			if got := theirs.silent(alice); got != token {
				t.Errorf("its own token: got %q", got)
			}
			if diff := cmp.Diff([]string{alice, carol}, theirs.accounts()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestNothingStored: the empty file that Node and Java begin with, and caches
// without entries, are no error and nobody's account.
func TestNothingStored(t *testing.T) {
	for _, content := range []string{"", " \n", "{}", `{"Account":{},"AccessToken":{}}`} {
		t.Run(content, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, tenantID, nil)
			if err := os.WriteFile(p.path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			ours := p.ours("node")
			if got := ours.accounts(); len(got) > 0 {
				t.Errorf("accounts %q", got)
			}
			ours.signIn(alice)
			if got := ours.accounts(); !slices.Equal(got, []string{alice}) {
				t.Errorf("accounts %q", got)
			}
		})
	}
}
