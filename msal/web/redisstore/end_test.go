//go:build redis

package redisstore

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
)

// interrupted is a token store in which something happens before each Delete.
type interrupted struct {
	backend.Store
	before func() error
}

func (i interrupted) Delete(ctx context.Context, key string, base backend.Version) error {
	if err := i.before(); err != nil {
		return err
	}
	return i.Store.Delete(ctx, key, base)
}

// TestEndOutlastsRequests: a request that is under way writes its session once
// more, and then looks whether its tokens are there still.
func TestEndOutlastsRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	token, r := w.signIn(alice, time.Now())
	seen := collect(t, w.All(t.Context()))[0]
	store, c := w.openTokens()
	tokensSeen := false
	w.Tokens = persist.New("redis", interrupted{store, func() error {
		w.put(token, r)
		_, err := store.Load(t.Context(), r.TokenKey, backend.None)
		tokensSeen = err == nil
		return err
	}}, c, nil)
	t.Cleanup(func() { _ = w.Tokens.Close() })
	if ended, err := w.End(t.Context(), seen); !ended || err != nil || !tokensSeen {
		t.Errorf("ended %t, %v; the request saw its tokens: %t", ended, err, tokensSeen)
	}
	if session, tokens := w.has(token, r); session || tokens {
		t.Errorf("the session is back: %t; its tokens: %t", session, tokens)
	}
}

// TestEndOfUnreadable: what can't be decoded here is ended when it is meant, and
// never for a session that could be.
func TestEndOfUnreadable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	token, r := w.signIn(alice, time.Now())
	seen := collect(t, w.All(t.Context()))[0]
	w.putForeign(token, r)
	if ended, err := w.End(t.Context(), seen); ended || !errors.Is(err, ErrUnreadable) {
		t.Errorf("ended %t, %v", ended, err)
	}
	if n, err := w.Clean(t.Context(), 0); n != 0 || err != nil {
		t.Errorf("cleaned %d, %v", n, err)
	}
	if session, tokens := w.has(token, r); !session || !tokens {
		t.Errorf("session %t, tokens %t", session, tokens)
	}
	seen = collect(t, w.Unreadable(t.Context()))[0]
	if ended, err := w.End(t.Context(), seen); !ended || err != nil {
		t.Errorf("ended %t, %v", ended, err)
	}
	if _, found, err := w.Store.Find(token); found || err != nil {
		t.Errorf("the session is there: %t, %v", found, err)
	}
}

// TestEndWithoutTokens: the session is over whatever becomes of the tokens.
func TestEndWithoutTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	token, _ := w.signIn(alice, time.Now())
	seen := collect(t, w.All(t.Context()))[0]
	store, c := w.openTokens()
	away := &backend.Error{Op: "delete", Kind: backend.ErrUnavailable}
	w.Tokens = persist.New("redis", interrupted{store, func() error { return away }}, c, nil)
	t.Cleanup(func() { _ = w.Tokens.Close() })
	if ended, err := w.End(t.Context(), seen); !ended || !errors.Is(err, backend.ErrUnavailable) {
		t.Errorf("ended %t, %v", ended, err)
	}
	if _, found, err := w.Store.Find(token); found || err != nil {
		t.Errorf("the session is there: %t, %v", found, err)
	}
}
