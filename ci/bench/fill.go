package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/msal/msaltest"
)

// Each person has five entries: two access tokens, a refresh token, an ID
// token and an account. An application's own entry comes on top.
const perPerson = 5

const (
	clientID  = "11111111-1111-1111-1111-111111111111"
	authority = "https://login.microsoftonline.com/" + msaltest.DefaultTenant
	password  = "correct-horse-battery"
)

var (
	scopes      = []string{"User.Read"}
	otherScopes = []string{"Mail.Read"}
)

// newFake is an Entra ID whose tokens are as long as real ones.
func newFake() *msaltest.Server {
	return msaltest.New(&msaltest.Options{Marker: strings.Repeat("m", 1000), Password: password, ExpiresIn: 24 * time.Hour})
}

// newClient is a client of MSAL; accessor may be nil, for a cache in memory.
func newClient(h *http.Client, accessor cache.ExportReplace) (public.Client, error) {
	opts := []public.Option{public.WithAuthority(authority), public.WithInstanceDiscovery(false), public.WithHTTPClient(h)}
	if accessor != nil {
		opts = append(opts, public.WithCache(accessor))
	}
	return public.New(clientID, opts...)
}

// passwords is MSAL's sign-in without a person, which it deprecates: programs
// should not see passwords.
type passwords interface {
	AcquireTokenByUsernamePassword(ctx context.Context, scopes []string, username, password string,
		opts ...public.AcquireByUsernamePasswordOption) (public.AuthResult, error)
}

func byPassword(ctx context.Context, client passwords, username string) (public.AuthResult, error) {
	return client.AcquireTokenByUsernamePassword(ctx, scopes, username, password)
}

func personName(i int) string { return fmt.Sprintf("person%d@contoso.example", i) }

// fill signs people in until the client's cache has as many entries.
func fill(ctx context.Context, client public.Client, entries int) error {
	for i := range entries / perPerson {
		result, err := byPassword(ctx, client, personName(i))
		if err != nil {
			return err
		}
		if _, err := client.AcquireTokenSilent(ctx, otherScopes, public.WithSilentAccount(result.Account)); err != nil {
			return err
		}
	}
	return nil
}

// capture is an accessor that leaves MSAL's memory alone and, when asked, takes
// a copy of it.
type capture struct {
	wanted bool
	data   []byte
}

func (*capture) Replace(context.Context, cache.Unmarshaler, cache.ReplaceHints) error { return nil }

func (c *capture) Export(_ context.Context, m cache.Marshaler, _ cache.ExportHints) (err error) {
	if c.wanted {
		c.data, err = m.Marshal()
	}
	return err
}

// filled is a cache with that many entries, as MSAL writes it.
func filled(ctx context.Context, h *http.Client, entries int) ([]byte, error) {
	c := &capture{}
	client, err := newClient(h, c)
	if err != nil {
		return nil, err
	}
	if err := fill(ctx, client, entries); err != nil {
		return nil, err
	}
	c.wanted = true
	_, err = byPassword(ctx, client, personName(0)) // again, which adds nothing
	return c.data, err
}
