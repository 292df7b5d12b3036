package web_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/msal/web"
)

func TestSweep(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := w.serve(nil)
	b := w.browser(s)
	b.signIn(w, "/user/login", alice)
	gone := w.browser(s)
	gone.signIn(w, "/user/login", bob)
	live := w.keys()
	another := w.tokens.Key(web.TokenPrefix + "another-app/X")
	for stored, err := range s.app.Each(t.Context()) {
		if err != nil || stored.Record.Email != bob {
			continue
		}
		if err := w.store.Delete(stored.ID); err != nil { // as when it expires
			t.Fatal(err)
		}
	}
	for _, other := range []string{"web/other", "somebody/else", web.TokenPrefix + "another-app/X"} {
		if err := w.tokens.Key(other).Save(t.Context(), []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("W20", func(t *testing.T) {
		if n, err := s.app.Sweep(t.Context()); n != 0 || err != nil {
			t.Errorf("%d items that are younger than an hour, %v", n, err)
		}
		if n, err := s.app.SweepOlder(t.Context(), 0); n != 1 || err != nil {
			t.Errorf("%d items, %v", n, err)
		}
	})
	if _, err := another.Load(t.Context()); err != nil {
		t.Errorf("another application's tokens: %v", err)
	}
	if err := another.Delete(t.Context()); err != nil {
		t.Error(err)
	}
	if now := w.keys(); len(live) != 2 || len(now) != 1 || !slices.Contains(live, now[0]) {
		t.Errorf("%v is left of %v", now, live)
	}
	if _, err := w.tokens.Key("web/other").Load(t.Context()); err != nil || !b.info().Authenticated {
		t.Errorf("more than orphans went: %v", err)
	}
}

func TestSweepsByItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	var store *tampered
	store, w.tokens = newTampered(t)
	store.age = 2 * time.Hour
	orphan := w.tokens.Key(web.TokenPrefix + "web-app/orphan")
	if err := orphan.Save(t.Context(), []byte("{}")); err != nil {
		t.Fatal(err)
	}
	w.serve(func(c *web.Config) { c.SweepEvery = 20 * time.Millisecond })
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, err := orphan.Load(t.Context()); errors.Is(err, backend.ErrNotFound) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the orphan is still there: %s", w.logs)
		}
	}
}

// listless is a session store that can't list.
type listless struct{ store scs.Store }

func (l listless) Find(id string) ([]byte, bool, error) { return l.store.Find(id) }
func (l listless) Delete(id string) error               { return l.store.Delete(id) }
func (l listless) Commit(id string, b []byte, expiry time.Time) error {
	return l.store.Commit(id, b, expiry)
}

func TestSweepCannot(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := w.serve(func(c *web.Config) { c.Store = listless{w.store} })
	b := w.browser(s)
	b.signIn(w, "/user/login", alice)
	if n, err := s.app.SweepOlder(t.Context(), 0); n != 0 || !errors.Is(err, backend.ErrUnsupported) || len(w.keys()) != 1 {
		t.Errorf("%d items, %v", n, err)
	}
}

// contextual is a session store as that for Redis is, which takes nothing without
// a context.
type contextual struct{ store scs.Store }

func (contextual) Find(string) ([]byte, bool, error)      { panic("no context") }
func (contextual) Delete(string) error                    { panic("no context") }
func (contextual) Commit(string, []byte, time.Time) error { panic("no context") }
func (c contextual) FindCtx(_ context.Context, id string) ([]byte, bool, error) {
	return c.store.Find(id)
}
func (c contextual) DeleteCtx(_ context.Context, id string) error { return c.store.Delete(id) }
func (c contextual) CommitCtx(_ context.Context, id string, b []byte, expiry time.Time) error {
	return c.store.Commit(id, b, expiry)
}
func (c contextual) AllCtx(context.Context) (map[string][]byte, error) {
	return c.store.(scs.IterableStore).All()
}

func TestStoreWithContexts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := w.serve(func(c *web.Config) { c.Store = contextual{w.store} })
	b := w.browser(s)
	b.signIn(w, "/user/login", alice)
	b.signIn(w, "/user/login", alice)
	for stored, err := range s.app.Each(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if n, err := s.app.SignOutEverywhere(t.Context(), stored.Record.Account); n != 1 || err != nil {
			t.Errorf("%d sessions ended, %v", n, err)
		}
	}
	if b.info().Authenticated || len(w.keys()) != 0 {
		t.Error("signed in all the same")
	}
}

// TestStrangeSessions: what else lies in the store isn't touched.
func TestStrangeSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := w.serve(nil)
	values := map[string]any{"x": "y"}
	for name, value := range map[string]any{"number": 7, "no JSON": "x", "another key": `{"token_key":"web/flow-key"}`, "none": `{}`} {
		values[web.RecordName] = value
		data, err := scs.GobCodec{}.Encode(time.Now().Add(time.Hour), maps.Clone(values))
		if err != nil {
			t.Fatal(err)
		}
		if err := w.store.Commit(name, data, time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.store.Commit("garbage", []byte("garbage"), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	for stored, err := range s.app.Each(t.Context()) {
		t.Errorf("%+v, %v", stored, err)
	}
	if n, err := s.app.SignOutEverywhere(t.Context(), ""); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	t.Run("W2", func(t *testing.T) {
		record, ok := web.RecordOf(map[string]any{web.RecordName: `{"token_key":"web/session/A","mail":"a@b.example","claims":{"x":1}}`})
		if !ok || record.Email != "a@b.example" || !strings.HasSuffix(record.TokenKey, "A") {
			t.Errorf("%+v", record)
		}
	})
}

// TestSessionsEndBehindAHandlersBack: a session that another server ended isn't
// one any more at the next request.
func TestSessionsEndBehindAHandlersBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	first := w.serve(nil)
	second := w.serve(func(c *web.Config) { c.BaseURL = first.URL })
	b := w.browser(first)
	b.signIn(w, "/user/login", alice)
	for stored, err := range second.app.Each(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if err := second.app.End(t.Context(), stored); err != nil {
			t.Error(err)
		}
	}
	if a := b.get("/user/info"); a.StatusCode != http.StatusUnauthorized || len(w.keys()) != 0 {
		t.Errorf("status %d", a.StatusCode)
	}
}
