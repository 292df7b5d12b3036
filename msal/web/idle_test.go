package web_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/web"
)

// withTimeouts is a session manager as an App makes it. It is made outside of a
// bubble of package synctest, since scs starts a goroutine that stays.
func withTimeouts() *scs.SessionManager {
	m := scs.New()
	m.IdleTimeout = 2 * time.Hour
	return m
}

// offline is an App that needs no identity provider, and a session in it.
func offline(t *testing.T, sessions *scs.SessionManager, store scs.Store) (*web.App, *http.Cookie) {
	t.Helper()
	credential, err := msal.Secret("secret")
	if err != nil {
		t.Fatal(err)
	}
	cfg := web.Config{
		ClientID: "web-app", Authority: "https://login.example/t", Credential: credential, BaseURL: "https://shop.example",
		Tokens: inMemory(t), AllowPlaintext: true, Sessions: sessions, SweepEvery: -1,
	}
	sessions.Store = store
	app, err := web.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	record := web.Record{TokenKey: web.TokenPrefix + cfg.ClientID + "/one", Account: "a", Name: "Alice", CSRF: "c", Since: time.Now()}
	if err := cfg.Tokens.Key(record.TokenKey).Save(t.Context(), []byte("{}")); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	ctx, err := app.Sessions().Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	app.Sessions().Put(ctx, web.RecordName, string(text))
	id, _, err := app.Sessions().Commit(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return app, &http.Cookie{Name: sessionCookie, Value: id}
}

// look is a request that only looks who it is.
func look(app *web.App, cookie *http.Cookie) (signedIn bool, answer *http.Response) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(cookie)
	recorder := httptest.NewRecorder()
	app.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { signedIn = app.Session(r).SignedIn() })).ServeHTTP(recorder, r)
	return signedIn, recorder.Result()
}

// TestIdleTimeout: who comes often enough stays, for a day, and others go.
func TestIdleTimeout(t *testing.T) {
	sessions := withTimeouts()
	synctest.Test(t, func(t *testing.T) {
		app, cookie := offline(t, sessions, memstore.NewWithCleanupInterval(0))
		began := time.Now()
		for time.Since(began) < 23*time.Hour {
			time.Sleep(100 * time.Minute)
			if signedIn, _ := look(app, cookie); !signedIn {
				t.Fatalf("signed out after %s, in use", time.Since(began))
			}
		}
		time.Sleep(100 * time.Minute)
		if signedIn, _ := look(app, cookie); signedIn {
			t.Errorf("still signed in after %s", time.Since(began))
		}
	})
	sessions = withTimeouts()
	synctest.Test(t, func(t *testing.T) {
		app, cookie := offline(t, sessions, memstore.NewWithCleanupInterval(0))
		time.Sleep(2*time.Hour + time.Second)
		if signedIn, _ := look(app, cookie); signedIn {
			t.Error("still signed in after two idle hours")
		}
	})
}

// TestTouch: a session that is used often is written each tenth of its idle time.
func TestTouch(t *testing.T) {
	sessions := withTimeouts()
	t.Run("W5", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			store := &counting{Store: memstore.NewWithCleanupInterval(0)}
			app, cookie := offline(t, sessions, store)
			store.commits = 0
			for range 60 * 60 {
				time.Sleep(time.Second)
				if _, answer := look(app, cookie); len(answer.Cookies()) > 1 {
					t.Fatal(answer.Cookies())
				}
			}
			if store.commits < 4 || store.commits > 6 {
				t.Errorf("%d writes in an hour", store.commits)
			}
		})
	})
}
