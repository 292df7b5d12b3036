//go:build redis

package redisstore

import (
	"bytes"
	"crypto/rand"
	"encoding/gob"
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	goredis "github.com/redis/go-redis/v9"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
	"github.com/msalext/msalext/msal/web"
	"github.com/msalext/msalext/plugins/redis"
)

// world is a web app's two stores on one server, and who signs people in.
type world struct {
	testing.TB
	*Sessions
	client *goredis.Client
	port   int
	entra  *msaltest.Server
	http   msal.Doer
}

func newWorld(t testing.TB, opts *msaltest.Options) *world {
	t.Helper()
	w := &world{TB: t, entra: msaltest.New(opts)}
	t.Cleanup(w.entra.Close)
	w.http = msal.SharedDiscovery(w.entra.Client())
	w.port, w.client = startServer(t)
	w.Sessions = &Sessions{Store: New(w.client, nil), Tokens: w.tokens(), NewClient: w.newClient}
	return w
}

// tokens opens the token store, as each process does for itself.
func (w *world) tokens() *persist.Persistence {
	w.Helper()
	store, c := w.openTokens()
	p := persist.New("redis", store, c, nil)
	w.Cleanup(func() { _ = p.Close() })
	return p
}

func (w *world) openTokens() (backend.Store, backend.Config) {
	w.Helper()
	path := filepath.Join(w.TempDir(), "tokens")
	c := backend.Config{Location: path, Path: path, Settings: backend.Settings{"address": address(w.port), "prefix": "tokens"}}
	store, err := redis.Backend().Open(w.Context(), c)
	if err != nil {
		w.Fatal(err)
	}
	return store, c
}

func (w *world) newClient(c *persist.PersistedTokenCache) (*msal.Confidential, error) {
	secret, err := msal.Secret("secret")
	if err != nil {
		return nil, err
	}
	return msal.NewConfidential("web", secret, &msal.Options{Authority: w.entra.Authority(), Cache: c, HTTPClient: w.http, DisableInstanceDiscovery: true})
}

var scopes = []string{"User.Read"}

// signIn begins a session as a web server does, and returns its name.
func (w *world) signIn(email string, since time.Time) (token string, r web.Record) {
	w.Helper()
	r = web.Record{TokenKey: web.TokenPrefix + rand.Text(), Email: email, Name: "somebody", Since: since, CSRF: rand.Text()}
	client, err := w.newClient(persist.NewPersistedTokenCache(w.Tokens.Key(r.TokenKey), nil))
	if err != nil {
		w.Fatal(err)
	}
	f, err := client.BeginAuthCode(w.Context(), msal.AuthCodeOptions{RedirectURI: "https://app.example/user/authorized", Scopes: scopes})
	if err != nil {
		w.Fatal(err)
	}
	answer, err := w.entra.Authorize(f.AuthURI, email)
	if err != nil {
		w.Fatal(err)
	}
	result, err := client.CompleteAuthCode(w.Context(), f, answer, nil)
	if err != nil {
		w.Fatal(err)
	}
	r.Account = result.Account.HomeAccountID
	token = rand.Text()
	w.put(token, r)
	return token, r
}

// put stores a session with a record, as scs does.
func (w *world) put(token string, r web.Record) {
	w.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		w.Fatal(err)
	}
	w.putValues(token, map[string]any{web.RecordName: string(text), "cart": 3})
}

func (w *world) putValues(token string, values map[string]any) {
	w.Helper()
	deadline := time.Now().Add(time.Hour)
	data, err := (scs.GobCodec{}).Encode(deadline, values)
	if err == nil {
		err = w.Store.Commit(token, data, deadline)
	}
	if err != nil {
		w.Fatal(err)
	}
}

// cart is of a type that the web app has registered, and this process has not.
type cart struct{ Items int }

// putForeign stores a session that only the web app can decode.
func (w *world) putForeign(token string, r web.Record) {
	w.Helper()
	gob.RegisterName("webapp.Cart", cart{})
	text, err := json.Marshal(r)
	if err != nil {
		w.Fatal(err)
	}
	deadline := time.Now().Add(time.Hour)
	data, err := (scs.GobCodec{}).Encode(deadline, map[string]any{web.RecordName: string(text), "cart": cart{3}})
	if err == nil {
		data = bytes.ReplaceAll(data, []byte("webapp.Cart"), []byte("theirs.Cart"))
		err = w.Store.Commit(token, data, deadline)
	}
	if err != nil {
		w.Fatal(err)
	}
}

// has tells whether a session is there, and its tokens.
func (w *world) has(token string, r web.Record) (session, tokens bool) {
	w.Helper()
	_, session, err := w.Store.Find(token)
	if err != nil {
		w.Fatal(err)
	}
	_, err = w.Tokens.Key(r.TokenKey).Load(w.Context())
	if err != nil && backend.KindOf(err) != backend.ErrNotFound {
		w.Fatal(err)
	}
	return session, err == nil
}
