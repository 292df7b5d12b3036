package msal_test

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// A defect is something that MSAL for Go does wrong by itself. Each is tried
// twice: with MSAL alone, where plain is what comes of it, and with msalext.
// Where both are the same, MSAL has mended it in the version that is required.
type defect struct {
	name  string
	opts  *msaltest.Options
	try   func(*side) string
	plain string
	ours  string
}

func testDefects(t *testing.T, defects []defect) {
	for _, d := range defects {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			for _, run := range []struct {
				name string
				ours bool
				want string
			}{{"MSAL alone", false, d.plain}, {"with msalext", true, d.ours}} {
				t.Run(run.name, func(t *testing.T) {
					t.Parallel()
					if got := d.try(&side{newWorld(t, d.opts), run.ours}); got != run.want {
						t.Errorf("it comes to %q, not %q", got, run.want)
					}
				})
			}
		})
	}
}

// side is a world in which every client is MSAL's with a file that is read and
// written as MSAL's samples do it, or with msalext.
type side struct {
	*world
	ours bool
}

// accessor is that of another process.
func (s *side) accessor() cache.ExportReplace {
	s.Helper()
	if !s.ours {
		return plainFile{s.path}
	}
	c, _ := s.cache(nil)
	return msal.Accessor(c)
}

func (s *side) client() public.Client { return s.clientWith(s.accessor()) }

// over is a client of another process with a network of its own.
func (s *side) over(authority string, network msal.Doer, discovery bool) public.Client {
	s.Helper()
	client, err := public.New("client", public.WithAuthority(authority), public.WithHTTPClient(network),
		public.WithInstanceDiscovery(discovery), public.WithCache(s.accessor()))
	if err != nil {
		s.Fatal(err)
	}
	return client
}

func (s *side) confidential() confidential.Client {
	s.Helper()
	credential, err := confidential.NewCredFromSecret("secret")
	if err != nil {
		s.Fatal(err)
	}
	client, err := confidential.New(s.srv.Authority(), "web", credential, confidential.WithHTTPClient(s.srv.Client()),
		confidential.WithInstanceDiscovery(false), confidential.WithCache(s.accessor()))
	if err != nil {
		s.Fatal(err)
	}
	return client
}

// people is who is signed in, as a fresh process sees it.
func (s *side) people() string { s.Helper(); return names(s.T, s.client()) }

// silently tells what comes of a silent call: where the token is from, or the
// error in one word.
func (s *side) silently(client public.Client, scope string, account public.Account) string {
	r, err := client.AcquireTokenSilent(s.Context(), []string{scope}, public.WithSilentAccount(account))
	switch {
	case err != nil && strings.Contains(err.Error(), "no token found"):
		return "no token"
	case err != nil && strings.Contains(err.Error(), "invalid_grant"):
		return "invalid_grant"
	case err != nil:
		return "error"
	case r.Metadata.TokenSource == public.TokenSourceCache:
		return "from the cache"
	}
	return "refreshed"
}

// plainFile is a cache in a file: whatever MSAL hands over is what is stored.
type plainFile struct{ path string }

func (p plainFile) Replace(_ context.Context, to cache.Unmarshaler, _ cache.ReplaceHints) error {
	data, err := os.ReadFile(p.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return to.Unmarshal(data)
}

func (p plainFile) Export(_ context.Context, from cache.Marshaler, _ cache.ExportHints) error {
	data, err := from.Marshal()
	if err != nil {
		return err
	}
	return os.WriteFile(p.path, data, 0o600)
}

// meanwhile lets something happen right before MSAL writes.
type meanwhile struct {
	cache.ExportReplace
	what func()
}

func (m meanwhile) Export(ctx context.Context, from cache.Marshaler, h cache.ExportHints) error {
	m.what()
	return m.ExportReplace.Export(ctx, from, h)
}

// interrupted lets something happen while a request is under way.
type interrupted struct {
	*http.Client
	what func()
}

func (i interrupted) Do(req *http.Request) (*http.Response, error) {
	if strings.HasSuffix(req.URL.Path, "/token") {
		i.what()
	}
	return i.Client.Do(req)
}
