package msal_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
	"github.com/msalext/msalext/plugins/file"
)

const alice, bob = "alice@contoso.example", "bob@contoso.example"

var scopes = []string{"User.Read"}

// shelf is the file backend, and fails when a test says so.
type shelf struct {
	backend.Store
	mu         sync.Mutex
	load, save error
}

func (s *shelf) fail(load, save error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.load, s.save = load, save
}

func (s *shelf) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	s.mu.Lock()
	err := s.load
	s.mu.Unlock()
	if err != nil {
		return backend.Blob{}, err
	}
	return s.Store.Load(ctx, key, have)
}

func (s *shelf) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	s.mu.Lock()
	err := s.save
	s.mu.Unlock()
	if err != nil {
		return backend.None, err
	}
	return s.Store.Save(ctx, key, data, base)
}

// world is a fake Entra ID and a place on disk.
type world struct {
	*testing.T
	srv  *msaltest.Server
	path string
}

func newWorld(t *testing.T, o *msaltest.Options) *world {
	t.Helper()
	srv := msaltest.New(o)
	t.Cleanup(srv.Close)
	return &world{t, srv, filepath.Join(t.TempDir(), "cache")}
}

// cache opens the place as another process would.
func (w *world) cache(opts *persist.CacheOptions) (*persist.PersistedTokenCache, *shelf) {
	w.Helper()
	c := backend.Config{Location: w.path, Path: w.path}
	store, err := file.Backend().Open(w.Context(), c)
	if err != nil {
		w.Fatal(err)
	}
	s := &shelf{Store: store}
	p := persist.New("file", s, c, nil)
	w.Cleanup(func() {
		if err := p.Close(); err != nil {
			w.Error(err)
		}
	})
	return persist.NewPersistedTokenCache(p, opts), s
}

// client is an MSAL client of another process.
func (w *world) client() public.Client {
	c, _ := w.cache(nil)
	return w.clientOf(c)
}

func (w *world) clientOf(c *persist.PersistedTokenCache) public.Client {
	w.Helper()
	return w.clientWith(msal.Accessor(c))
}

// publicAlone is a client that shares its cache with nobody.
func (w *world) publicAlone() public.Client {
	w.Helper()
	return w.clientWith(nil)
}

func (w *world) clientWith(accessor cache.ExportReplace) public.Client {
	w.Helper()
	client, err := public.New("client", public.WithAuthority(w.srv.Authority()), public.WithHTTPClient(w.srv.Client()),
		public.WithInstanceDiscovery(false), public.WithCache(accessor))
	if err != nil {
		w.Fatal(err)
	}
	return client
}

func (w *world) signIn(client public.Client, who string) public.AuthResult {
	w.Helper()
	r, err := byPassword(w.Context(), client, who)
	if err != nil {
		w.Fatal(err)
	}
	return r
}

// people lists who is signed in, as a fresh process sees it.
func (w *world) people() string {
	w.Helper()
	return names(w.T, w.client())
}

func names(t *testing.T, client public.Client) string {
	t.Helper()
	accounts, err := client.Accounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, a := range accounts {
		list = append(list, a.PreferredUsername)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func (w *world) account(client public.Client, who string) public.Account {
	w.Helper()
	accounts, err := client.Accounts(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	for _, a := range accounts {
		if a.PreferredUsername == who {
			return a
		}
	}
	w.Fatalf("%s isn't signed in", who)
	return public.Account{}
}

// passwords is MSAL's sign-in without a person. It is deprecated, since
// programs should not see passwords, and this is a test.
type passwords interface {
	AcquireTokenByUsernamePassword(ctx context.Context, scopes []string, username, password string,
		opts ...public.AcquireByUsernamePasswordOption) (public.AuthResult, error)
}

func byPassword(ctx context.Context, client passwords, who string) (public.AuthResult, error) {
	return client.AcquireTokenByUsernamePassword(ctx, scopes, who, msaltest.DefaultPassword)
}

func (w *world) confidential() confidential.Client {
	w.Helper()
	credential, err := confidential.NewCredFromSecret("secret")
	if err != nil {
		w.Fatal(err)
	}
	c, _ := w.cache(nil)
	client, err := confidential.New(w.srv.Authority(), "web", credential, confidential.WithHTTPClient(w.srv.Client()),
		confidential.WithInstanceDiscovery(false), confidential.WithCache(msal.Accessor(c)))
	if err != nil {
		w.Fatal(err)
	}
	return client
}

func (w *world) byCode(client confidential.Client) confidential.AuthResult {
	w.Helper()
	const redirect = "https://app.example/authorized"
	url, err := client.AuthCodeURL(w.Context(), "web", redirect, scopes)
	if err != nil {
		w.Fatal(err)
	}
	params, err := w.srv.Authorize(url, alice)
	if err != nil {
		w.Fatal(err)
	}
	r, err := client.AcquireTokenByAuthCode(w.Context(), params.Get("code"), redirect, scopes)
	if err != nil {
		w.Fatal(err)
	}
	return r
}
