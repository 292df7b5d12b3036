//go:build redis

package redisstore

import (
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/msal/web"
)

const (
	alice = "alice@contoso.example"
	bob   = "bob@contoso.example"
)

// collect is all of a listing, which has to work.
func collect(t testing.TB, all iter.Seq2[Session, error]) []Session {
	t.Helper()
	var list []Session
	for s, err := range all {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	return list
}

func emails(list []Session) []string {
	var all []string
	for _, s := range list {
		all = append(all, s.Record.Email)
	}
	slices.Sort(all)
	return all
}

func TestListings(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	now := time.Now()
	token, r := w.signIn(alice, now)
	w.signIn(alice, now)
	_, gone := w.signIn(bob, now)
	if err := w.Tokens.Key(gone.TokenKey).Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.putValues("visitor", map[string]any{"cart": 3})
	w.putValues("odd", map[string]any{web.RecordName: "{"})
	w.putForeign("foreign", web.Record{TokenKey: web.TokenPrefix + "X", Email: bob})

	if got := emails(collect(t, w.All(t.Context()))); !cmp.Equal(got, []string{"", "", alice, alice, bob}) {
		t.Errorf("all: %q", got)
	}
	if got := emails(collect(t, w.Find(t.Context(), "Alice@Contoso.EXAMPLE"))); !cmp.Equal(got, []string{alice, alice}) {
		t.Errorf("Alice's: %q", got)
	}
	for _, got := range [][]Session{collect(t, w.Find(t.Context(), "")), collect(t, w.FindAccount(t.Context(), "")), collect(t, w.FindAccount(t.Context(), alice))} {
		if len(got) > 0 {
			t.Errorf("nobody's: %q", emails(got))
		}
	}
	if got := emails(collect(t, w.FindAccount(t.Context(), r.Account))); !cmp.Equal(got, []string{alice, alice}) {
		t.Errorf("those of Alice's account: %q", got)
	}
	invalid := collect(t, w.Invalid(t.Context()))
	if got := emails(invalid); !cmp.Equal(got, []string{"", bob}) {
		t.Errorf("of no use: %q", got)
	}
	for _, s := range invalid {
		if !errors.Is(s.Err, ErrUnusable) {
			t.Errorf("%q: %v", s.Record.Email, s.Err)
		}
	}
	if got := collect(t, w.Unreadable(t.Context())); len(got) != 1 || !errors.Is(got[0].Err, ErrUnreadable) || errors.Is(got[0].Err, ErrUnusable) {
		t.Errorf("unreadable here: %v", got)
	}
	// What is printed lets nobody in.
	for _, s := range collect(t, w.All(t.Context())) {
		if text := printed(s); strings.Contains(text, token) || strings.Contains(text, r.CSRF) {
			t.Errorf("the session's name is printed: %s", text)
		}
	}
}

func TestEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, c := range []struct {
		name     string
		meantime func(token string, r web.Record)
		ended    bool
		tokens   bool // are left
	}{
		{"as it was seen", func(string, web.Record) {}, true, false},
		{"used meanwhile", w.put, true, false},
		{"gone meanwhile", func(token string, _ web.Record) { w.client.Del(t.Context(), Prefix+token) }, false, false},
		{"somebody else's meanwhile", func(token string, r web.Record) { r.TokenKey += "X"; w.put(token, r) }, false, true},
		{"a visitor's meanwhile", func(token string, _ web.Record) { w.putValues(token, nil) }, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			token, r := w.signIn(alice, time.Now())
			seen := collect(t, filter(w.All(t.Context()), func(s *Session) (bool, error) { return s.Record.TokenKey == r.TokenKey, nil }))[0]
			c.meantime(token, r)
			ended, err := w.End(t.Context(), seen)
			if err != nil || ended != c.ended {
				t.Errorf("ended: %t, %v", ended, err)
			}
			if _, tokens := w.has(token, r); tokens != c.tokens {
				t.Errorf("tokens are left: %t", tokens)
			}
			if again, err := w.End(t.Context(), seen); again || err != nil {
				t.Errorf("once more: %t, %v", again, err)
			}
		})
	}
}

// TestEndTouchesTokensOfSessionsAlone: who can write sessions can name any item
// in them.
func TestEndTouchesTokensOfSessionsAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	if err := w.Tokens.Key("app").Save(t.Context(), []byte("{}")); err != nil {
		t.Fatal(err)
	}
	w.put("forged", web.Record{TokenKey: "app", Email: alice})
	if ended, err := w.End(t.Context(), collect(t, w.All(t.Context()))[0]); !ended || err != nil {
		t.Errorf("%t, %v", ended, err)
	}
	if _, err := w.Tokens.Key("app").Load(t.Context()); err != nil {
		t.Errorf("the application's own tokens: %v", err)
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	now := time.Now()
	old, oldRecord := w.signIn(alice, now.Add(-48*time.Hour))
	young, youngRecord := w.signIn(bob, now.Add(-time.Hour))
	w.putValues("visitor", nil)
	w.client.Set(t.Context(), Prefix+"damaged", "not gob", 0)
	if n, err := w.Clean(t.Context(), 24*time.Hour); n != 1 || err != nil {
		t.Errorf("cleaned %d, %v", n, err)
	}
	for _, c := range []struct {
		token string
		r     web.Record
		want  bool
	}{{old, oldRecord, false}, {young, youngRecord, true}} {
		t.Run("W20 "+c.r.Email, func(t *testing.T) {
			if session, tokens := w.has(c.token, c.r); session != c.want || tokens != c.want {
				t.Errorf("session %t, tokens %t", session, tokens)
			}
		})
	}
	for _, token := range []string{"visitor", "damaged"} {
		if _, found, err := w.Store.Find(token); !found || err != nil {
			t.Errorf("%s: %t, %v", token, found, err)
		}
	}
}
