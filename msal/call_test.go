package msal

import (
	"context"
	"slices"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/extensions/tokencache"
	"github.com/msalext/msalext/msal/msaltest"
)

// probe is an accessor that notes what it can tell of each call.
type probe struct {
	stored []byte
	reads  []bool
	calls  []call
}

func (p *probe) Replace(_ context.Context, u cache.Unmarshaler, _ cache.ReplaceHints) error {
	p.reads = append(p.reads, callerOnlyReads())
	p.calls = append(p.calls, currentCall())
	return u.Unmarshal(p.stored)
}

func (p *probe) Export(_ context.Context, m cache.Marshaler, _ cache.ExportHints) (err error) {
	p.calls = append(p.calls, currentCall())
	p.stored, err = m.Marshal()
	return err
}

func (p *probe) take() (reads []bool, calls []call) {
	reads, calls = p.reads, p.calls
	p.reads, p.calls = nil, nil
	return reads, calls
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
		reads []bool
		calls []call
	}{
		{"sign-in", func() error {
			r, err := passwords(client).AcquireTokenByUsernamePassword(t.Context(), scopes, "alice@contoso.example", msaltest.DefaultPassword)
			account = r.Account
			return err
		}, []bool{false}, []call{issued, issued}},
		{"accounts", func() error { _, err := client.Accounts(t.Context()); return err }, []bool{true}, []call{read}},
		{"cached token", func() error {
			_, err := client.AcquireTokenSilent(t.Context(), scopes, public.WithSilentAccount(account))
			return err
		}, []bool{true}, []call{silently}},
		{"refresh", func() error {
			_, err := client.AcquireTokenSilent(t.Context(), []string{"Mail.Read"}, public.WithSilentAccount(account))
			return err
		}, []bool{true, false}, []call{silently, refreshed, refreshed}},
		{"sign-out", func() error { return client.RemoveAccount(t.Context(), account) }, []bool{false}, []call{read, read}},
	} {
		if err := c.do(); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if reads, calls := p.take(); !slices.Equal(reads, c.reads) || !slices.Equal(calls, c.calls) {
			t.Errorf("%s: got %v and %+v", c.name, reads, calls)
		}
	}
}

// counter is MSAL's memory, as the accessor sees it.
type counter struct{ n int }

func (c *counter) Unmarshal([]byte) error { c.n++; return nil }

func TestReplaceUnmarshalsOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	store, err := (&memory.Backend{}).Open(t.Context(), backend.Config{})
	if err != nil {
		t.Fatal(err)
	}
	p := persist.New("memory", store, backend.Config{}, nil)
	a := &accessor{cache: persist.NewPersistedTokenCache(p, nil)}
	u := &counter{}
	for i, step := range []struct {
		name  string
		first func() error
		reads bool
		want  int
	}{
		{"first", nil, true, 1},
		{"unchanged", nil, true, 1},
		{"before a write", nil, false, 1},
		{"after a write", nil, true, 2},
		{"unchanged again", nil, true, 2},
		{"another process wrote", func() error { return p.Save(t.Context(), []byte(`{"Account":{}}`)) }, true, 3},
		{"two writes on end", nil, false, 3},
		{"the second of them", nil, false, 4},
	} {
		if step.first != nil {
			if err := step.first(); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.replace(t.Context(), u, step.reads); err != nil || u.n != step.want {
			t.Errorf("step %d, %s: %d times, %v", i, step.name, u.n, err)
		}
	}
}
