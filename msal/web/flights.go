package web

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// flightTime bounds what is done for several callers, none of whose contexts
// ends it.
const flightTime = time.Minute

// flightKey is who wants what.
type flightKey struct {
	tokenKey, scopes string
	ask
}

// flights lets one caller's request serve all who want the same meanwhile. The
// zero value is ready.
type flights struct {
	mu     sync.Mutex
	flying map[flightKey]*flight
	closed bool
}

type flight struct {
	landed   chan struct{}
	token    Token
	err      error
	panicked any // goes on in those who wait: here it would end the program
}

// do calls fn, or waits for the call that is under way. After close, and
// nothing under way, the error is backend.ErrClosed.
func (fs *flights) do(ctx context.Context, key flightKey, fn func(context.Context) (Token, error)) (Token, error) {
	fs.mu.Lock()
	f := fs.flying[key]
	if f == nil && fs.closed {
		fs.mu.Unlock()
		return Token{}, &backend.Error{Op: "acquire a token", Kind: backend.ErrClosed, Hint: "ask for tokens before Close"}
	}
	if f == nil {
		if fs.flying == nil {
			fs.flying = map[flightKey]*flight{}
		}
		f = &flight{landed: make(chan struct{})}
		fs.flying[key] = f
		go fs.fly(context.WithoutCancel(ctx), key, f, fn)
	}
	fs.mu.Unlock()
	select {
	case <-f.landed:
		if f.panicked != nil {
			panic(f.panicked)
		}
		return f.token, f.err
	case <-ctx.Done():
		return Token{}, context.Cause(ctx)
	}
}

func (fs *flights) fly(ctx context.Context, key flightKey, f *flight, fn func(context.Context) (Token, error)) {
	ctx, cancel := context.WithTimeout(ctx, flightTime)
	defer cancel()
	defer close(f.landed)
	defer func() {
		f.panicked = recover()
		fs.mu.Lock()
		defer fs.mu.Unlock()
		delete(fs.flying, key)
	}()
	f.token, f.err = fn(ctx)
}

// close lets nothing begin any more, and waits for what is under way, since
// that may have used up a refresh token and has the next one to store. The
// error is that of ctx.
func (fs *flights) close(ctx context.Context) error {
	fs.mu.Lock()
	fs.closed = true
	flying := slices.Collect(maps.Values(fs.flying))
	fs.mu.Unlock()
	for _, f := range flying {
		select {
		case <-f.landed:
		case <-ctx.Done():
			return fmt.Errorf("msalext: wait for tokens that are being acquired: %w", context.Cause(ctx))
		}
	}
	return nil
}
