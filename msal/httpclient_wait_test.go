package msal_test

import (
	"context"
	"io"
	"net/http"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/msal"
)

func TestHTTPClientWaitsOnlyWhereATokenMayCome(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, answer string
		then         []string
		load         error
		waits        bool
	}{
		{"used", usedToken, []string{refreshEntry("alice", "old", "")}, nil, true},
		{"used, says another provider", `{"error":"invalid_grant"}`, []string{refreshEntry("alice", "old", "")}, nil, true},
		{"a person is needed", `{"error":"invalid_grant","suberror":"consent_required"}`, []string{refreshEntry("alice", "old", "")}, nil, false},
		{"signed out", usedToken, nil, nil, false},
		{"the store can't be read", usedToken, []string{refreshEntry("alice", "new", "")}, &backend.Error{Kind: backend.ErrLocked}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := &world{T: t, path: filepath.Join(t.TempDir(), "cache")}
				w.holds(refreshEntry("alice", "old", ""))
				cache, shelf := w.cache(nil)
				s := &sender{answers: []func() *http.Response{answer(400, c.answer)}, before: func(int) { w.holds(c.then...); shelf.fail(c.load, nil) }}
				began := time.Now()
				resp, err := msal.HTTPClient(cache, s).Do(refreshRequest(t.Context(), "old"))
				if err != nil || resp.StatusCode != 400 || s.tokens() != "old" {
					t.Fatalf("sent %q, %v", s.tokens(), err)
				}
				if took := time.Since(began); took > 0 != c.waits || took > time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

func TestHTTPClientStopsWaitingWithItsContext(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.holds(refreshEntry("alice", "old", ""))
	cache, _ := w.cache(nil)
	ctx, cancel := context.WithCancel(t.Context())
	s := &sender{answers: []func() *http.Response{refuses}, before: func(int) { cancel() }}
	resp, err := msal.HTTPClient(cache, s).Do(refreshRequest(ctx, "old"))
	if err != nil || resp.StatusCode != 400 || s.tokens() != "old" {
		t.Fatalf("sent %q, %v", s.tokens(), err)
	}
	if text, err := io.ReadAll(resp.Body); err != nil || string(text) != usedToken {
		t.Errorf("answered %s, %v", text, err)
	}
}
