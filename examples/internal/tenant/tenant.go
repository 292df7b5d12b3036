// Package tenant tells the examples where to sign in: at a fake Entra ID that
// needs no network and no account, or at a real tenant.
package tenant

import (
	"cmp"
	"fmt"
	"net/http"
	"os"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/msal/msaltest"
)

// Person is who approves every sign-in at the fake.
const Person = "alice@contoso.example"

// Tenant is where and as which application to sign in.
type Tenant struct {
	ClientID string
	Scopes   []string

	fake    bool
	options []public.Option
	close   func()
}

// FromEnv returns the fake of another process when its variables are set, so
// that a demonstration never reaches a real tenant; else a real tenant when
// AZURE_CLIENT_ID names an application (and AZURE_AUTHORITY its authority, by
// default any organization's); else a fake of this process. Close it.
func FromEnv() (*Tenant, error) {
	switch {
	case os.Getenv(msaltest.EnvAuthority) != "":
		return sharedFake()
	case os.Getenv("AZURE_CLIENT_ID") != "":
		return realTenant(os.Getenv("AZURE_CLIENT_ID")), nil
	}
	return ownFake(), nil
}

func realTenant(clientID string) *Tenant {
	authority := cmp.Or(os.Getenv("AZURE_AUTHORITY"), "https://login.microsoftonline.com/organizations")
	return &Tenant{ClientID: clientID, Scopes: []string{"User.Read"}, close: func() {},
		options: []public.Option{public.WithAuthority(authority)}}
}

func sharedFake() (*Tenant, error) {
	remote, err := msaltest.ConnectEnv()
	if err != nil {
		return nil, err
	}
	t := fake(remote.Authority(), remote.Client())
	t.options = append(t.options, public.WithInstanceDiscovery(false))
	return t, nil
}

// ownFake keeps Microsoft's host name, so that the cache of one run serves the
// next one although the fake listens elsewhere then.
func ownFake() *Tenant {
	server := msaltest.New(&msaltest.Options{Approver: Person, Pending: 1})
	t := fake("https://login.microsoftonline.com/"+msaltest.DefaultTenant, server.CloudClient())
	t.close = server.Close
	return t
}

func fake(authority string, client *http.Client) *Tenant {
	return &Tenant{ClientID: "msalext-example", Scopes: []string{"User.Read"}, fake: true, close: func() {},
		options: []public.Option{public.WithAuthority(authority), public.WithHTTPClient(client)}}
}

// Options are what public.New needs beyond the client id and a cache.
func (t *Tenant) Options(more ...public.Option) []public.Option {
	return append(more, t.options...)
}

// Show passes on what the person has to do.
func (t *Tenant) Show(message string) {
	if t.fake {
		message += " (The fake approves it by itself.)"
	}
	fmt.Println(message)
}

// Close stops a fake of this process.
func (t *Tenant) Close() { t.close() }
