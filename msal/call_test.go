package msal

import (
	"context"
	"slices"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/extensions/tokencache"
	"github.com/msalext/msalext/msal/msaltest"
)

// probe is an accessor that notes what it can tell of each call.
type probe struct {
	stored []byte
	needs  []need
	calls  []call
}

func (p *probe) Replace(_ context.Context, u cache.Unmarshaler, h cache.ReplaceHints) error {
	n := needOfCaller()
	n.person = h.PartitionKey
	p.needs = append(p.needs, n)
	p.calls = append(p.calls, currentCall())
	return u.Unmarshal(p.stored)
}

func (p *probe) Export(_ context.Context, m cache.Marshaler, _ cache.ExportHints) (err error) {
	p.calls = append(p.calls, currentCall())
	p.stored, err = m.Marshal()
	return err
}

func (p *probe) take() (needs []need, calls []call) {
	needs, calls = p.needs, p.calls
	p.needs, p.calls = nil, nil
	return needs, calls
}

// passwords is deprecated in MSAL, and the shortest way to a token in a test.
type passwords interface {
	AcquireTokenByUsernamePassword(ctx context.Context, scopes []string, username, password string,
		opts ...public.AcquireByUsernamePasswordOption) (public.AuthResult, error)
}

// TestMSALsCallsAreRecognised guards against a release of MSAL whose functions
// have other names: then the accessor would work, and be slower and know less.
func TestMSALsCallsAreRecognised(t *testing.T) {
	t.Parallel()
	srv := msaltest.New(&msaltest.Options{ExpiresIn: msaltest.DefaultExpiresIn})
	defer srv.Close()
	p := &probe{}
	client, err := public.New("client", public.WithAuthority(srv.Authority()), public.WithHTTPClient(srv.Client()),
		public.WithInstanceDiscovery(false), public.WithCache(p))
	if err != nil {
		t.Fatal(err)
	}
	scopes := []string{"User.Read"}
	var account public.Account
	read, issued := call{}, call{issued: true}
	silently := call{op: tokencache.OpSilent}
	refreshed := call{issued: true, op: tokencache.OpSilent}
	for _, c := range []struct {
		name  string
		do    func() error
		needs func(person string) []need
		calls []call
	}{
		{"sign-in", func() error {
			r, err := passwords(client).AcquireTokenByUsernamePassword(t.Context(), scopes, "alice@contoso.example", msaltest.DefaultPassword)
			account = r.Account
			return err
		}, func(string) []need { return []need{{everybody: true}} }, []call{issued, issued}},
		{"accounts", func() error { _, err := client.Accounts(t.Context()); return err },
			func(string) []need { return []need{{}} }, []call{read}},
		{"cached token", func() error {
			_, err := client.AcquireTokenSilent(t.Context(), scopes, public.WithSilentAccount(account))
			return err
		}, func(p string) []need { return []need{{person: p, everybody: true}} }, []call{silently}},
		{"refresh", func() error {
			_, err := client.AcquireTokenSilent(t.Context(), []string{"Mail.Read"}, public.WithSilentAccount(account))
			return err
		}, func(p string) []need { return []need{{person: p, everybody: true}, {person: p, everybody: true}} }, []call{silently, refreshed, refreshed}},
		{"sign-out", func() error { return client.RemoveAccount(t.Context(), account) },
			func(string) []need { return []need{{everybody: true, signsOut: true}} }, []call{read, read}},
	} {
		if err := c.do(); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		needs, calls := p.take()
		if !slices.Equal(needs, c.needs(account.HomeAccountID)) || !slices.Equal(calls, c.calls) {
			t.Errorf("%s: got %+v and %+v", c.name, needs, calls)
		}
	}
}
