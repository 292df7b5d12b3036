package msal_test

import (
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/msal/msaltest"
)

// rotation is two processes about to redeem the same refresh token, which can
// be used only once: the winner, and another one.
func rotation(t *testing.T, retries bool) (w *world, winner, loser *actor) {
	t.Helper()
	w = newWorld(t, &msaltest.Options{ExpiresIn: time.Minute, SingleUseRefreshTokens: true})
	winner, loser = w.actor(false), w.actor(retries)
	winner.expect("sign-in "+bob, "ok")
	winner.expect("sign-in "+alice, "ok")
	loser.expect("refresh-in-steps "+alice, "at request")
	return w, winner, loser
}

// sent lists the refresh tokens that were sent, in order.
func (w *world) sent() []string {
	var tokens []string
	for _, r := range w.srv.Requests(msaltest.KindTokenRefresh) {
		tokens = append(tokens, r.Form.Get("refresh_token"))
	}
	return tokens
}

func TestRotationLoserFailsWithoutHTTPClient(t *testing.T) {
	t.Parallel()
	w, winner, loser := rotation(t, false)
	winner.expect("refresh "+alice, "ok")
	loser.expect("go", "at answer")
	if got := loser.does("go"); !strings.Contains(got, "invalid_grant") {
		t.Errorf("got %q", got)
	}
	if n := len(w.sent()); n != 2 {
		t.Errorf("%d tokens were sent", n)
	}
}

func TestRotationLoserRetriesOnce(t *testing.T) {
	t.Parallel()
	w, winner, loser := rotation(t, true)
	winner.expect("refresh "+alice, "ok")
	loser.expect("go", "at answer")
	loser.expect("go", "at request")
	loser.expect("go", "at answer")
	loser.expect("go", "at export")
	loser.expect("go", "ok")
	if sent := w.sent(); len(sent) != 3 || sent[0] != sent[1] || sent[1] == sent[2] {
		t.Errorf("%d tokens were sent", len(sent))
	}
	// What the loser got is stored, and works.
	winner.expect("refresh "+alice, "ok")
	loser.expect("refresh "+bob, "ok")
}

func TestRotationLoserWaitsForTheWinnerToStore(t *testing.T) {
	t.Parallel()
	w, winner, loser := rotation(t, true)
	winner.expect("refresh-in-steps "+alice, "at request")
	winner.expect("go", "at answer")
	winner.expect("go", "at export") // it has the new token, and nobody else does
	loser.expect("go", "at answer")
	stored := make(chan string, 1)
	go func() { stored <- winner.does("go") }()
	loser.expect("go", "at request")
	if got := <-stored; got != "ok" {
		t.Error(got)
	}
	loser.expect("go", "at answer")
	loser.expect("go", "at export")
	loser.expect("go", "ok")
	if sent := w.sent(); len(sent) != 3 || sent[0] != sent[1] || sent[1] == sent[2] {
		t.Errorf("%d tokens were sent", len(sent))
	}
}

func TestRotationLoserLosesTwice(t *testing.T) {
	t.Parallel()
	w, winner, loser := rotation(t, true)
	winner.expect("refresh "+alice, "ok")
	loser.expect("go", "at answer")
	loser.expect("go", "at request") // with the new token
	winner.expect("refresh "+alice, "ok")
	for _, step := range []string{"at answer", "at request", "at answer", "at export", "ok"} {
		loser.expect("go", step)
	}
	if n := len(w.sent()); n != 5 {
		t.Errorf("%d tokens were sent", n)
	}
	winner.expect("refresh "+alice, "ok")
}

func TestRotationLoserStaysSignedOut(t *testing.T) {
	t.Parallel()
	w, winner, loser := rotation(t, true)
	winner.expect("refresh "+alice, "ok")
	winner.expect("sign-out "+alice, "ok")
	loser.expect("go", "at answer")
	if got := loser.does("go"); !strings.Contains(got, "invalid_grant") {
		t.Errorf("got %q", got)
	}
	if n := len(w.sent()); n != 2 {
		t.Errorf("%d tokens were sent", n)
	}
	if got := w.people(); got != bob {
		t.Errorf("signed in: %q", got)
	}
}

// TestRotationLoserSignedInAgain: the account's new token came by another
// sign-in, which is as good.
func TestRotationLoserSignedInAgain(t *testing.T) {
	t.Parallel()
	_, winner, loser := rotation(t, true)
	winner.expect("refresh "+alice, "ok")
	winner.expect("sign-out "+alice, "ok")
	winner.expect("sign-in "+alice, "ok")
	for _, step := range []string{"at answer", "at request", "at answer", "at export", "ok"} {
		loser.expect("go", step)
	}
}
