package msal_test

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"

	"github.com/msalext/msalext/msal"
)

// TestHTTPClientLosesAgain: each token that others store is redeemed by a third
// process before it is sent from here.
func TestHTTPClientLosesAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		losses int
		sent   string
		status int
	}{
		{1, "old 1", 200}, {2, "old 1 2", 200}, {3, "old 1 2 3", 200}, {4, "old 1 2 3", 400},
	} {
		t.Run(fmt.Sprint(c.losses), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.holds(refreshEntry("alice", "old", ""))
			cache, _ := w.cache(nil)
			var answers []func() *http.Response
			for range c.losses {
				answers = append(answers, refuses)
			}
			s := &sender{answers: append(answers, accepts), before: func(n int) { w.holds(refreshEntry("alice", fmt.Sprint(n), "")) }}
			resp, err := msal.HTTPClient(cache, s).Do(refreshRequest(t.Context(), "old"))
			if err != nil || resp.StatusCode != c.status || s.tokens() != c.sent {
				t.Fatalf("sent %q, %v", s.tokens(), err)
			}
			if text, err := io.ReadAll(resp.Body); err != nil || len(text) == 0 {
				t.Errorf("answered %q, %v", text, err)
			}
		})
	}
}

// TestHTTPClientSendsNoTokenTwice: a program may write back what it read before
// it had the lock.
func TestHTTPClientSendsNoTokenTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, path: filepath.Join(t.TempDir(), "cache")}
		w.holds(refreshEntry("alice", "old", ""))
		cache, _ := w.cache(nil)
		s := &sender{answers: []func() *http.Response{refuses}, before: func(n int) {
			w.holds(refreshEntry("alice", []string{"new", "old"}[n-1], ""))
		}}
		resp, err := msal.HTTPClient(cache, s).Do(refreshRequest(t.Context(), "old"))
		if err != nil || resp.StatusCode != 400 || s.tokens() != "old new" {
			t.Errorf("sent %q, %v", s.tokens(), err)
		}
	})
}

// ignorant stands for MSAL's memory.
type ignorant struct{ _ *byte }

func (*ignorant) Unmarshal([]byte) error { return nil }

// TestHTTPClientKnowsWhatMSALWasGiven: the token is replaced between MSAL's
// reading it and its request, the first one that there is.
func TestHTTPClientKnowsWhatMSALWasGiven(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.holds(refreshEntry("alice", "old", ""))
	c, _ := w.cache(nil)
	s := &sender{answers: []func() *http.Response{refuses, accepts}}
	accessor, client := msal.Accessor(c), msal.HTTPClient(c, s)
	for _, person := range []string{"alice", "nobody"} {
		if err := accessor.Replace(t.Context(), &ignorant{}, cache.ReplaceHints{PartitionKey: person}); err != nil {
			t.Fatal(err)
		}
	}
	w.holds(refreshEntry("alice", "new", ""))
	if resp, err := client.Do(refreshRequest(t.Context(), "old")); err != nil || resp.StatusCode != 200 || s.tokens() != "old new" {
		t.Errorf("sent %q, %v", s.tokens(), err)
	}
}
