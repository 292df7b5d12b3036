//go:build redis

package redisstore

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/extensions/tokencache"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

func TestTokenOfAPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.signIn(bob, time.Now())
	_, older := w.signIn(alice, time.Now().Add(-time.Hour))
	_, newer := w.signIn(alice, time.Now())
	t.Run("W19", func(t *testing.T) {
		got, err := w.Token(t.Context(), "ALICE@contoso.example", scopes...)
		if err != nil || got.Session.Record.TokenKey != newer.TokenKey || got.Value == "" || time.Until(got.Expires) < time.Minute {
			t.Errorf("of %v until %s: %v", got.Session, got.Expires, err)
		}
	})
	if n := w.entra.Count(msaltest.KindTokenRefresh); n != 0 {
		t.Errorf("%d refreshes for a token that is stored", n)
	}
	// Without the newer one's tokens, the older session serves.
	if err := w.Tokens.Key(newer.TokenKey).Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := w.Token(t.Context(), alice, scopes...); err != nil || got.Session.Record.TokenKey != older.TokenKey {
		t.Errorf("of %v: %v", got.Session, err)
	}
}

// TestTokenOfOnePersonAlone: an organization can write any address into what it
// says of its people.
func TestTokenOfOnePersonAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	_, wanted := w.signIn(alice, time.Now().Add(-time.Hour))
	_, older := w.signIn(alice, time.Now().Add(-2*time.Hour))
	if older.Account != wanted.Account {
		t.Fatalf("%q and %q", older.Account, wanted.Account)
	}
	token, forged := w.signIn(bob, time.Now())
	forged.Email = alice
	w.put(token, forged)
	got, err := w.Token(t.Context(), alice, scopes...)
	if !errors.Is(err, backend.ErrInvalid) || got.Value != "" || !strings.Contains(err.Error(), "several people") {
		t.Errorf("a token of %v: %v", got.Session, err)
	}
	if err != nil && strings.Contains(err.Error(), alice) {
		t.Errorf("the error names people: %v", err)
	}
	got, err = w.AccountToken(t.Context(), wanted.Account, scopes...)
	if err != nil || got.Session.Record.TokenKey != wanted.TokenKey {
		t.Errorf("by account, of %v: %v", got.Session, err)
	}
	for _, account := range []string{"", alice, "a.b"} {
		if _, err := w.AccountToken(t.Context(), account, scopes...); !errors.Is(err, backend.ErrNotFound) {
			t.Errorf("account %q: %v", account, err)
		}
	}
}

// TestTokensAreNotPrinted, nor what forms carry.
func TestTokensAreNotPrinted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	_, r := w.signIn(alice, time.Now())
	got, err := w.Token(t.Context(), alice, scopes...)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(got)
	if err != nil {
		t.Error(err)
	}
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("got", "token", got, "pointer", &got, "session", got.Session)
	printed := fmt.Sprintf("%v %+v %#v %s %q %x %d %v %v %+v", got, got, got, got, got, got, got, &got, []Token{got}, struct{ T Token }{got})
	for _, out := range []string{string(text), logged.String(), printed} {
		for name, secret := range map[string]string{"token": got.Value, "token in hex": hex.EncodeToString([]byte(got.Value)), "token of forms": r.CSRF} {
			if strings.Contains(out, secret) {
				t.Errorf("the %s is printed: %s", name, out)
			}
		}
	}
	if want := got.Expires.UTC().Format(time.RFC3339); !strings.Contains(printed, want) {
		t.Errorf("%s lacks %s", printed, want)
	}
}

// TestRefreshIsStored, and beside what a web server stores at the same time.
func TestRefreshIsStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t, &msaltest.Options{SingleUseRefreshTokens: true})
	_, r := w.signIn(alice, time.Now())
	// The web server has its own connections and memory.
	cache := persist.NewPersistedTokenCache(w.tokens().Key(r.TokenKey), nil)
	client, err := w.newClient(cache)
	if err != nil {
		t.Fatal(err)
	}
	accounts, err := client.Accounts(t.Context())
	if err != nil || len(accounts) != 1 {
		t.Fatal(accounts, err)
	}
	for _, scope := range []string{"api://a/Read", "api://b/Read", "api://c/Read"} {
		if _, err := w.Token(t.Context(), alice, scope); err != nil {
			t.Fatalf("outside, %s: %v", scope, err)
		}
		if _, err := client.Silent(t.Context(), []string{scope + ".All"}, &msal.SilentOptions{Account: &accounts[0]}); err != nil {
			t.Fatalf("in the web server, %s: %v", scope, err)
		}
	}
	stored, err := persist.NewPersistedTokenCache(w.Tokens.Key(r.TokenKey), nil).Search(t.Context(), tokencache.Query{Section: tokencache.AccessTokens})
	if err != nil || len(stored) != 7 {
		t.Errorf("%d access tokens are stored, want 7: %v", len(stored), err)
	}
}

func TestNoToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	_, err := w.Token(t.Context(), alice, scopes...)
	if !errors.Is(err, backend.ErrNotFound) || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("nobody is signed in: %v", err)
	}
	w.signIn(alice, time.Now())
	w.entra.Revoke(alice)
	if _, err = w.Token(t.Context(), alice, "api://other/Read"); !errors.Is(err, backend.ErrNotFound) || !errors.Is(err, msal.ErrInvalidGrant) {
		t.Errorf("revoked: %v", err)
	}
	if err != nil && strings.Contains(err.Error(), alice) {
		t.Errorf("the error names people: %v", err)
	}
	if _, err := (&Sessions{Store: w.Store}).Token(t.Context(), alice, scopes...); !errors.Is(err, backend.ErrInvalid) {
		t.Errorf("without a token store: %v", err)
	}
	// A busy identity provider is no reason to take another session.
	w.signIn(bob, time.Now())
	w.signIn(bob, time.Now())
	w.entra.Fail(msaltest.KindTokenRefresh, msaltest.Failure{Status: 500, Code: "server_error"})
	if got, err := w.Token(t.Context(), bob, "api://other/Read"); err == nil || errors.Is(err, backend.ErrNotFound) {
		t.Errorf("busy: %v, %v", got.Session, err)
	}
}
