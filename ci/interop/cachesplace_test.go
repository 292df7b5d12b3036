//go:build interop

package interop_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
	"github.com/msalext/msalext/plugins/file"
)

const (
	alice, bob, carol = "alice@contoso.example", "bob@contoso.example", "carol@contoso.example"

	// host is the real one: a host with a port is written into the cache with
	// it by some libraries, and without by others.
	host = "https://login.microsoftonline.com/"

	applicationScope = "https://graph.microsoft.com/.default"
)

// tenantID is how a token names the tenant. With it in the authority all
// libraries write the same realm.
var tenantID = msaltest.TenantID("contoso.example")

// An app signs people in with some MSAL and keeps the tokens in a file.
type app interface {
	signIn(user string) (token string)
	silent(user string) (token string) // empty: somebody has to sign in
	signOut(user string)
	accounts() []string
	application() (token string) // its own
}

// place is a cache in a file, and a fake Entra ID.
type place struct {
	*testing.T
	srv       *msaltest.Server
	path      string
	authority string
}

func newPlace(t *testing.T, tenant string, o *msaltest.Options) *place {
	t.Helper()
	srv := msaltest.New(o)
	t.Cleanup(srv.Close)
	return &place{t, srv, filepath.Join(t.TempDir(), "cache.json"), host + tenant}
}

func (p *place) stored() []byte {
	p.Helper()
	data, err := os.ReadFile(p.path)
	if err != nil {
		p.Fatal(err)
	}
	return data
}

// entries are the stored ones, as they were written.
func (p *place) entries() map[string]map[string]json.RawMessage {
	p.Helper()
	var entries map[string]map[string]json.RawMessage
	if err := json.Unmarshal(p.stored(), &entries); err != nil {
		p.Fatal(err)
	}
	return entries
}

// awaitCached waits until every access token was cached in the past. Node
// rounds that time, also up, and MSAL for Go refuses a token from the future.
func (p *place) awaitCached() {
	p.Helper()
	for _, raw := range p.entries()["AccessToken"] {
		var token struct {
			CachedAt string `json:"cached_at"`
		}
		if err := json.Unmarshal(raw, &token); err != nil {
			p.Fatal(err)
		}
		seconds, err := strconv.ParseInt(token.CachedAt, 10, 64)
		if err != nil {
			p.Fatal(err)
		}
		time.Sleep(time.Until(time.Unix(seconds, 0)))
	}
}

// goApp is MSAL for Go.
type goApp struct {
	*place
	client public.Client
	daemon confidential.Client
}

// ours opens the cache with this module's extensions, as another process
// would.
func (p *place) ours(preset string) *goApp {
	p.Helper()
	o := &extensions.Options{Preset: preset, InProcess: []backend.Backend{file.Backend()}}
	persistence, err := extensions.Open(p.Context(), "file", p.path, o)
	if err != nil {
		p.Fatal(err)
	}
	kept := extensions.NewPersistedTokenCache(persistence, nil)
	p.Cleanup(func() {
		if err := errors.Join(kept.Close(context.Background()), persistence.Close()); err != nil {
			p.Error(err)
		}
	})
	return p.goApp(msal.Accessor(kept))
}

// plainApp stores what MSAL for Go hands over, as it is and whole: those are
// the bytes that Microsoft's own extensions for it write.
func (p *place) plainApp() *goApp { p.Helper(); return p.goApp(plainAccessor(p.path)) }

type plainAccessor string

func (path plainAccessor) Replace(_ context.Context, c cache.Unmarshaler, _ cache.ReplaceHints) error {
	data, err := os.ReadFile(string(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.Join(err, c.Unmarshal(data))
}

func (path plainAccessor) Export(_ context.Context, c cache.Marshaler, _ cache.ExportHints) error {
	data, err := c.Marshal()
	if err != nil {
		return err
	}
	return os.WriteFile(string(path), data, 0o600)
}

func (p *place) goApp(accessor cache.ExportReplace) *goApp {
	p.Helper()
	client, err := public.New("client", public.WithAuthority(p.authority), public.WithHTTPClient(p.srv.CloudClient()), public.WithCache(accessor))
	if err != nil {
		p.Fatal(err)
	}
	secret, err := confidential.NewCredFromSecret("secret")
	if err != nil {
		p.Fatal(err)
	}
	daemon, err := confidential.New(p.authority, "client", secret, confidential.WithHTTPClient(p.srv.CloudClient()), confidential.WithCache(accessor))
	if err != nil {
		p.Fatal(err)
	}
	return &goApp{p, client, daemon}
}

func (a *goApp) application() string { a.Helper(); return a.tokenFor(applicationScope) }

// tokenFor is a token of the application itself.
func (a *goApp) tokenFor(scope string) string {
	a.Helper()
	result, err := a.daemon.AcquireTokenByCredential(a.Context(), []string{scope})
	if err != nil {
		a.Fatal(err)
	}
	return result.AccessToken
}

func (a *goApp) signIn(user string) string {
	a.Helper()
	code, err := a.client.AcquireTokenByDeviceCode(a.Context(), []string{"User.Read"})
	if err != nil {
		a.Fatal(err)
	}
	if err := a.srv.Approve(code.Result.UserCode, user); err != nil {
		a.Fatal(err)
	}
	result, err := code.AuthenticationResult(a.Context())
	if err != nil {
		a.Fatal(err)
	}
	return result.AccessToken
}

func (a *goApp) silent(user string) string {
	a.Helper()
	accounts := a.named(user)
	if len(accounts) == 0 {
		return ""
	}
	result, err := a.client.AcquireTokenSilent(a.Context(), []string{"User.Read"}, public.WithSilentAccount(accounts[0]))
	if err != nil && !strings.Contains(err.Error(), "no token found") {
		a.Fatal(err)
	}
	return result.AccessToken
}

func (a *goApp) signOut(user string) {
	a.Helper()
	for _, account := range a.named(user) {
		if err := a.client.RemoveAccount(a.Context(), account); err != nil {
			a.Fatal(err)
		}
	}
}

func (a *goApp) accounts() []string {
	a.Helper()
	var names []string
	for _, account := range a.named("") {
		names = append(names, account.PreferredUsername)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// named are the accounts of a user, or all for "": MSAL for Go has one for
// each host and tenant that tokens came from.
func (a *goApp) named(user string) []public.Account {
	a.Helper()
	accounts, err := a.client.Accounts(a.Context())
	if err != nil {
		a.Fatal(err)
	}
	return slices.DeleteFunc(accounts, func(account public.Account) bool {
		return user != "" && account.PreferredUsername != user
	})
}
