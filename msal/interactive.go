package msal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pkg/browser"
)

// ErrBrowserTimeout: nobody finished the sign-in in the browser in time. The
// error is also the one of the context that ended.
var ErrBrowserTimeout = errors.New("nobody finished signing in in the browser")

// InteractiveOptions is what [Public.Interactive] asks for. Nil and the zero
// value ask for nothing.
type InteractiveOptions struct {
	Prompt     Prompt // empty: the provider's choice
	LoginHint  string // the user name to begin with
	DomainHint string // the organization to sign in with
	Claims     string // those of a claims challenge, as JSON
	// MaxAge is how many seconds ago the person may have signed in; nil is any
	// time.
	MaxAge *int
	// RedirectURI is where the browser comes back: an http URL on this machine,
	// as registered for the application. Without a port it gets a free one, which
	// Entra ID doesn't compare. Empty: http://localhost.
	RedirectURI string
	// OpenURL shows a page to the person. Nil: the system's browser does, which
	// is what xdg-open, open or the Windows shell starts.
	OpenURL func(url string) error
	// Timeout is how long the person has. 0: as long as ctx lives.
	Timeout time.Duration
	// SuccessPage and ErrorPage are the HTML that the browser shows at the end.
	// Empty: a sentence in English.
	SuccessPage, ErrorPage string
}

// Interactive opens a browser for a person to sign in, and waits on a port of
// this machine until the browser comes back. It stands for MSAL Python's
// acquire_token_interactive. The answer is compared as [AuthCodeFlow.Complete]
// does, with state, nonce and PKCE; an answer with another state is none, and
// the wait goes on. The page at the end tells whether it worked.
//
// [ErrBrowserTimeout]: nobody came back in time. An [*Error] is what the provider
// said, or the person: [ErrAccessDenied]. [ErrFlow]: the redirect URI can't be
// used. Where no browser can be opened the error says so; offer a device code
// then ([Public.BeginDevice]).
func (p *Public) Interactive(ctx context.Context, scopes []string, o *InteractiveOptions) (Result, error) {
	if o == nil {
		o = &InteractiveOptions{}
	}
	back, err := waitForBrowser(ctx, o)
	if err != nil {
		return Result{}, fmt.Errorf("msalext: signing in by the browser: %w", err)
	}
	defer back.close()
	flow, err := p.BeginAuthCode(ctx, AuthCodeOptions{
		RedirectURI: back.uri, Scopes: scopes, Prompt: o.Prompt, LoginHint: o.LoginHint, DomainHint: o.DomainHint,
		Claims: o.Claims, MaxAge: o.MaxAge, ResponseMode: "form_post",
	})
	if err != nil {
		return Result{}, err
	}
	came, err := back.answer(ctx, flow, o)
	if err != nil {
		return Result{}, fmt.Errorf("msalext: signing in by the browser: %w", err)
	}
	result, err := p.CompleteAuthCode(ctx, flow, came.form, nil)
	came.outcome <- err
	return result, err
}

// answer opens the page, and waits for the browser.
func (b *browserBack) answer(ctx context.Context, f AuthCodeFlow, o *InteractiveOptions) (browserAnswer, error) {
	if o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.Timeout)
		defer cancel()
	}
	open := o.OpenURL
	if open == nil {
		open = browser.OpenURL
	}
	b.expect(f.State)
	failed := make(chan error, 1)
	go func() { // a browser may be there for as long as it is open
		if err := open(f.AuthURI); err != nil {
			failed <- fmt.Errorf("no browser could be opened: %w; set OpenURL, or sign in by a device code", err)
		}
	}()
	select {
	case came := <-b.answers:
		return came, nil
	case err := <-failed:
		return browserAnswer{}, err
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return browserAnswer{}, fmt.Errorf("%w: %w", ErrBrowserTimeout, ctx.Err())
		}
		return browserAnswer{}, ctx.Err()
	}
}
