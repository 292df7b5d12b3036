package web

import (
	"context"
	"net/http"
	"time"
)

// SweepOlder is Sweep with another age, since no test waits for an hour.
func (a *App) SweepOlder(ctx context.Context, age time.Duration) (int, error) {
	return a.sweep(ctx, age)
}

// Aged makes the cookie of a flow one of a flow that began earlier.
func (a *App) Aged(r *http.Request, state string, by time.Duration) (*http.Cookie, error) {
	f, err := a.unseal(r, state)
	if err != nil {
		return nil, err
	}
	f.Until = f.Until.Add(-by)
	return a.seal(r.Context(), f)
}

// UsedStates is how many states are remembered.
func (a *App) UsedStates() int {
	a.used.mu.Lock()
	defer a.used.mu.Unlock()
	return len(a.used.known)
}

// UseStates fills the memory of used states.
func (a *App) UseStates(n int, until time.Time) {
	for i := range n {
		a.used.use("filler "+time.Duration(i).String(), until)
	}
}
