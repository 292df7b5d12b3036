package msal_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/msal/msaltest"
)

// TestSignOutWhileAnotherProcessRefreshes has one process refresh as fast as it
// can while another signs the account out.
func TestSignOutWhileAnotherProcessRefreshes(t *testing.T) {
	t.Parallel()
	rounds := 500
	if testing.Short() {
		rounds = 60
	}
	// Access tokens that live so shortly aren't cached: every silent call is a refresh.
	w := newWorld(t, &msaltest.Options{ExpiresIn: time.Minute, Latency: 2 * time.Millisecond})
	refresher, remover := w.actor(false), w.actor(false)
	remover.expect("sign-in "+bob, "ok")
	var stored [2][]byte
	overlaps := 0
	for round := range rounds {
		remover.expect("sign-in "+alice, "ok")
		if w.signOutDuringRefresh(refresher, remover) {
			overlaps++
		}
		stored[0], stored[1] = stored[1], w.onDisk()
		if trace := traceOf(alice, stored[1]); trace != "" {
			t.Fatalf("round %d: %s is still stored", round, trace)
		}
		if traceOf(bob, stored[1]) == "" {
			t.Fatalf("round %d: somebody else was signed out", round)
		}
	}
	t.Logf("in %d of %d rounds a refresh ended after the sign-out", overlaps, rounds)
	if overlaps < rounds/10 {
		t.Error("the two hardly ever met")
	}
	remover.expect("sign-in "+alice, "ok")
	refresher.expect("refresh "+alice, "ok")
	refresher.expect("refresh "+bob, "ok")
	if got := w.people(); got != alice+" "+bob {
		t.Errorf("signed in: %q", got)
	}
}

// signOutDuringRefresh tells whether a refresh was under way when the sign-out
// was stored, and brought a token.
func (w *world) signOutDuringRefresh(refresher, remover *actor) bool {
	w.Helper()
	before := w.srv.Count(msaltest.KindTokenRefresh)
	refresher.expect("refresh-on-and-on "+alice, "ok")
	ctx, cancel := context.WithTimeout(w.Context(), 20*time.Second)
	defer cancel()
	if err := w.srv.Await(ctx, msaltest.KindTokenRefresh, before+1); err != nil {
		w.Fatal(err)
	}
	<-time.After(rand.N(8 * time.Millisecond)) // so that it comes at any moment of a refresh
	remover.expect("sign-out "+alice, "ok")
	out := time.Now().UnixNano()
	answer := refresher.does("stop")
	text, why, _ := strings.Cut(answer, " ")
	last, err := strconv.ParseInt(text, 10, 64)
	if err != nil || last < 0 || why != "stopped" && why != "no token found" {
		w.Fatalf("the refreshes ended with %q", answer)
	}
	return last > out
}

func (w *world) onDisk() []byte {
	w.Helper()
	data, err := os.ReadFile(w.path)
	if err != nil {
		w.Fatal(err)
	}
	return bytes.ToLower(data)
}

// traceOf returns what a cache, in lower case, still says of a person.
func traceOf(who string, data []byte) string {
	for _, id := range []string{msaltest.HomeAccountID(who), who} {
		if bytes.Contains(data, []byte(strings.ToLower(id))) {
			return id
		}
	}
	return ""
}
