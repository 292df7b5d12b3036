package web_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/msal/msaltest"
	"github.com/msalext/msalext/msal/web"
)

// TestCloseWaits: a refresh whose caller has left ends before the token store
// may be closed, since the refresh token before it is used up.
func TestCloseWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, &msaltest.Options{ExpiresIn: time.Minute, Latency: 300 * time.Millisecond, SingleUseRefreshTokens: true})
	s := w.serve(nil)
	b := w.browser(s)
	b.signIn(w, "/user/login", alice)
	item := w.tokens.Key(w.keys()[0])
	before, err := item.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = b.with(func(r *http.Request, session *web.Session) error {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		go func() {
			_ = w.entra.Await(t.Context(), msaltest.KindTokenRefresh, 1)
			cancel()
		}()
		_, err := session.Token(ctx)
		if err := s.app.Close(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Close doesn't mind its context: %v", err)
		}
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("the caller didn't leave: %v", err)
	}
	if err := s.app.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if after, err := item.Load(t.Context()); err != nil || bytes.Equal(before, after) {
		t.Errorf("the next refresh token isn't stored, %v", err)
	}
	err = b.with(func(r *http.Request, session *web.Session) error {
		_, err := session.Token(r.Context(), "api://late/Read")
		return err
	})
	if !errors.Is(err, backend.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
