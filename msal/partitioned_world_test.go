package msal_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	msalcache "github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/plugins/file"
)

// app is a process of a web app: its clients, on a store of its own opening.
type app struct {
	*world
	*msal.Clients[confidential.Client]
	p     *persist.Persistence
	shelf *shelf
}

// app starts one. Without a function the context tells the key.
func (w *world) app(key func(context.Context) (string, error), opts *msal.PartitionOptions) *app {
	w.Helper()
	p, s := w.opened()
	credential, err := confidential.NewCredFromSecret("secret")
	if err != nil {
		w.Fatal(err)
	}
	http := msal.SharedDiscovery(w.srv.Client())
	clients := msal.Partitioned(p, key, func(c msalcache.ExportReplace) (confidential.Client, error) {
		return confidential.New(w.srv.Authority(), "web", credential, confidential.WithHTTPClient(http),
			confidential.WithInstanceDiscovery(false), confidential.WithCache(c))
	}, opts)
	return &app{w, clients, p, s}
}

// opened is the store, opened by a process of its own.
func (w *world) opened() (*persist.Persistence, *shelf) {
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
	return p, s
}

// client is the one of a key.
func (a *app) client(key string) confidential.Client {
	a.Helper()
	c, err := a.Client(msal.WithPartition(a.Context(), key))
	if err != nil {
		a.Fatal(err)
	}
	return c
}

const redirect = "https://app.example/authorized"

// code signs somebody in, as a browser that comes back with a code.
func (w *world) code(ctx context.Context, client confidential.Client, who string) (confidential.AuthResult, error) {
	url, err := client.AuthCodeURL(ctx, "web", redirect, scopes)
	if err != nil {
		return confidential.AuthResult{}, err
	}
	params, err := w.srv.Authorize(url, who)
	if err != nil {
		return confidential.AuthResult{}, err
	}
	return client.AcquireTokenByAuthCode(ctx, params.Get("code"), redirect, scopes)
}

func (a *app) signIn(key, who string) confidential.AuthResult {
	a.Helper()
	r, err := a.code(a.Context(), a.client(key), who)
	if err != nil {
		a.Fatal(err)
	}
	return r
}

// silent looks for a token of an account in a key's cache.
func (a *app) silent(key string, account confidential.Account) (confidential.AuthResult, error) {
	a.Helper()
	return a.client(key).AcquireTokenSilent(a.Context(), scopes, confidential.WithSilentAccount(account))
}

// whose tells for whom an access token was issued.
func whose(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return fmt.Sprintf("nobody: %d parts", len(parts))
	}
	var claims struct{ UPN string }
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil {
		err = json.Unmarshal(payload, &claims)
	}
	if err != nil {
		return err.Error()
	}
	return claims.UPN
}

// keys lists what is stored, as a fresh process sees it.
func (w *world) keys() (keys []string) {
	w.Helper()
	c := backend.Config{Location: w.path, Path: w.path}
	store, err := file.Backend().Open(w.Context(), c)
	if err != nil {
		w.Fatal(err)
	}
	p := persist.New("file", store, c, nil)
	defer p.Close()
	for info, err := range p.Keys(w.Context(), "") {
		if err != nil {
			w.Fatal(err)
		}
		keys = append(keys, info.Key)
	}
	return keys
}

func wantKeys(t *testing.T, w *world, want string) {
	t.Helper()
	keys := w.keys()
	if got := strings.Join(keys, " "); got != want {
		t.Errorf("stored under %q, want %q", got, want)
	}
}
