package msal

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
)

// TestTurns lets many take the same few turns, some of whom give up. One has
// each at a time, and nothing is left of them.
func TestTurns(t *testing.T) {
	t.Parallel()
	var ts turns
	var inside [4]atomic.Int32
	over, cancel := context.WithCancel(t.Context())
	cancel()
	var wg sync.WaitGroup
	for i := range 200 {
		n := i % len(inside)
		wg.Go(func() {
			ctx := t.Context()
			if i%10 == 0 {
				ctx = over
			}
			done, err := ts.wait(ctx, behalfTurn{hash: fmt.Sprint(n)})
			if err != nil {
				if !errors.Is(err, context.Canceled) || ctx != over {
					t.Error(err)
				}
				return
			}
			if inside[n].Add(1) > 1 {
				t.Error("two at once")
			}
			inside[n].Add(-1)
			done()
		})
	}
	wg.Wait()
	if len(ts.taken) != 0 {
		t.Errorf("%d turns are left", len(ts.taken))
	}
}

// TestParseAssertion reads what an assertion says of itself, and of anything
// else nothing.
func TestParseAssertion(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]assertionClaims{
		"":           {},
		"a.b":        {},
		"a.!.c":      {},
		"a.e30.c":    {},
		"a.bnVsbA.c": {},
		"a.W10.c":    {}, // []
		"a.eyJleHAiOjEyLCJvaWQiOiJvIiwidGlkIjoidCJ9.c": {Expires: "12", Object: "o", Tenant: "t"},
	} {
		if got := parseAssertion(text); got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
	if got := (assertionClaims{Object: "o"}).home(); got != "" {
		t.Errorf("home %q of somebody without a tenant", got)
	}
}
