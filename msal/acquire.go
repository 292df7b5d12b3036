package msal

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"
)

// InteractiveFunc signs a person in: by [Public.Interactive], or by a flow of the
// program's own. Claims are what the provider wants the person to prove, as
// JSON, and mostly empty.
type InteractiveFunc func(ctx context.Context, claims string) (Result, error)

// Acquire returns what Silent returns, or else what interactive returns. That is
// called where the cache has nothing ([ErrNoToken]) or the provider wants a
// person ([ErrInteractionRequired]), once; every other error is returned, since
// to sign in again doesn't help against it.
//
// Where the provider is busy ([ErrServerBusy]) or can't be reached, Silent is
// called again, as often and with such pauses as Options.Retry says; but not
// after what the client's network has repeated already, such as 429 Too Many
// Requests.
// The pauses end with ctx, and the last error is returned then. Nil interactive
// means that nobody is there: the error says why somebody is needed.
func (p *Public) Acquire(ctx context.Context, scopes []string, o *SilentOptions, interactive InteractiveFunc) (Result, error) {
	return p.acquire(ctx, func() (Result, error) { return p.Silent(ctx, scopes, o) }, interactive)
}

// Acquire is [Public.Acquire] for a confidential client, whose own token takes no
// person: pass ForClient as interactive, or call that.
func (c *Confidential) Acquire(ctx context.Context, scopes []string, o *SilentOptions, interactive InteractiveFunc) (Result, error) {
	return c.acquire(ctx, func() (Result, error) { return c.Silent(ctx, scopes, o) }, interactive)
}

func (a *application) acquire(ctx context.Context, silent func() (Result, error), interactive InteractiveFunc) (Result, error) {
	limits := a.options.limits()
	for attempt := 0; ; attempt++ {
		r, err := silent()
		if err == nil {
			return r, nil
		}
		if interactive != nil && (errors.Is(err, ErrNoToken) || errors.Is(err, ErrInteractionRequired)) {
			return interactive(ctx, claimsOfError(err))
		}
		wait, again := limits.pauseAfter(err, attempt)
		if !again || !waited(ctx, wait) {
			return Result{}, err
		}
	}
}

func claimsOfError(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Claims
	}
	return ""
}

// limits are Options.Retry with its defaults.
func (o *Options) limits() RetryOptions {
	var r RetryOptions
	if o.Retry != nil {
		r = *o.Retry
	}
	r.Attempts, r.Backoff, r.MaxWait = cmp.Or(r.Attempts, 3), cmp.Or(r.Backoff, time.Second), cmp.Or(r.MaxWait, 30*time.Second)
	return r
}

// pauseAfter tells whether a call that failed is worth another attempt, and
// when.
func (r RetryOptions) pauseAfter(err error, attempt int) (time.Duration, bool) {
	if attempt >= r.Attempts || !r.transient(err) {
		return 0, false
	}
	if e, ok := errors.AsType[*Error](err); ok && e.RetryAfter > 0 {
		return e.RetryAfter, e.RetryAfter <= r.MaxWait
	}
	wait := r.Backoff << min(attempt, 16)
	if wait < r.Backoff { // so long that it has no number
		wait = r.MaxWait
	}
	return min(wait, r.MaxWait), true
}

// transient tells whether the same call may succeed a moment later, and wasn't
// repeated by the network already. A certificate that isn't trusted, and a name
// that doesn't exist, will be so then too.
func (r RetryOptions) transient(err error) bool {
	if e, ok := errors.AsType[*Error](err); ok {
		repeated := e.Status == http.StatusTooManyRequests || e.Grant == "" || r.Unsafe && e.Status >= 500
		return e.busy() && !repeated
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return !dns.IsNotFound
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return e.Op != "remote error" // how TLS says no
	}
	network, ok := errors.AsType[net.Error](err)
	return ok && network.Timeout() || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)
}

func waited(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
