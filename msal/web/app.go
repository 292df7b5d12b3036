package web

import (
	"context"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"sync"

	"github.com/alexedwards/scs/v2"

	"github.com/msalext/msalext/msal"
)

// App signs people in to one application. It is safe for concurrent use.
type App struct {
	cfg      Config
	sessions *scs.SessionManager
	// loader is sessions but for the idle time: with that, scs takes every session
	// for changed, and would write it with each request. It also tells sessions that
	// can't be decoded from a store that fails.
	loader  *scs.SessionManager
	login   *msal.Confidential // begins flows; its cache stays empty
	clients *msal.Clients[*client]
	flights flights
	network msal.Doer
	keys    flowKeys
	used    usedStates
	page    *template.Template
	log     *slog.Logger

	stop context.CancelFunc
	done sync.WaitGroup
}

// New checks a configuration and makes an App of it. It sends nothing: an
// identity provider that can't be reached shows at the first sign-in.
//
// The error is [ErrConfig] where something is missing or unusable, and where
// Tokens isn't encrypted and AllowPlaintext not set.
func New(cfg Config) (*App, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	a := &App{cfg: cfg, log: cfg.Logger, page: cfg.Page, network: msal.SharedDiscovery(cfg.identityClient())}
	if a.page == nil {
		a.page = ownPage
	}
	a.keys.item = cfg.Tokens.Key(flowKeyItem)
	a.clients = a.newClients()
	var err error
	if a.login, err = a.newClient(nil); err != nil {
		return nil, err
	}
	a.openSessions()
	ctx, stop := context.WithCancel(context.Background())
	a.stop = stop
	if cfg.SweepEvery > 0 {
		a.done.Go(func() { a.sweepOften(ctx) })
	}
	return a, nil
}

// Handler serves the routes of the package's documentation, below /user/. It
// needs no [App.Wrap] around it, and works with one.
func (a *App) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, serve := range map[string]http.HandlerFunc{
		"GET /user/login":           a.serveLogin,
		"GET /user/login/{to...}":   a.serveLogin,
		"GET /user/authorized":      a.serveAuthorized,
		"POST /user/authorized":     a.serveAuthorized,
		"GET /user/logout":          a.askLogout,
		"GET /user/logout/{to...}":  a.askLogout,
		"POST /user/logout":         a.serveLogout,
		"POST /user/logout/{to...}": a.serveLogout,
		"GET /user/info":            a.serveInfo,
		"GET /user/photo":           a.servePhoto,
	} {
		mux.HandleFunc(pattern, serve)
	}
	return a.Wrap(mux)
}

// Sessions returns the session manager, to keep data of the application's own in
// sessions: app.Sessions().Put(r.Context(), "cart", cart).
func (a *App) Sessions() *scs.SessionManager { return a.sessions }

// Close ends the sweeps, waits until tokens that are being acquired have come,
// or ctx ends, and makes a last attempt to store tokens that the store would
// not take before. It doesn't close Config.Tokens. Who asks for tokens
// afterwards gets backend.ErrClosed.
func (a *App) Close(ctx context.Context) error {
	a.stop()
	a.done.Wait()
	return errors.Join(a.flights.close(ctx), a.clients.Close(ctx))
}
