package web_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
	"github.com/msalext/msalext/msal/web"
)

const (
	alice = "alice@contoso.example"
	bob   = "bob@fabrikam.example"
)

// world is an identity provider, and what servers share.
type world struct {
	*testing.T

	entra  *msaltest.Server
	tokens *persist.Persistence
	store  scs.Store
	logs   *logs
}

func newWorld(t *testing.T, o *msaltest.Options) *world {
	t.Helper()
	w := &world{T: t, entra: msaltest.New(o), store: memstore.NewWithCleanupInterval(0), logs: &logs{}}
	t.Cleanup(w.entra.Close)
	w.tokens = inMemory(t)
	return w
}

func inMemory(t *testing.T) *persist.Persistence {
	t.Helper()
	store, err := new(memory.Backend).Open(t.Context(), backend.Config{})
	if err != nil {
		t.Fatal(err)
	}
	p := persist.New("memory", store, backend.Config{}, nil)
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// site is a server with an App.
type site struct {
	*httptest.Server

	app     *web.App
	mux     *http.ServeMux
	network *http.Transport // of all browsers, since handshakes take longer than the rest
}

// config is what a server has where a test doesn't change it.
func (w *world) config(base string) web.Config {
	w.Helper()
	credential, err := msal.Secret("s3cret-of-the-app")
	if err != nil {
		w.Fatal(err)
	}
	return web.Config{
		ClientID: "web-app", Authority: w.entra.Authority(), Credential: credential, BaseURL: base,
		Tokens: w.tokens, AllowPlaintext: true, Store: w.store, SweepEvery: -1, HTTPClient: w.entra.Client(),
		GraphURL: w.entra.GraphURL(), DisableInstanceDiscovery: true,
		Logger: slog.New(slog.NewTextHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
}

// serve starts a server; base, where it isn't empty, is another's address, for
// servers behind one name.
func (w *world) serve(change func(*web.Config)) *site {
	w.Helper()
	s := &site{mux: http.NewServeMux()}
	handler := http.NotFoundHandler()
	s.Server = httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { handler.ServeHTTP(rw, r) }))
	w.Cleanup(s.Close)
	s.network = w.networkTo(s)
	cfg := w.config(s.URL)
	if change != nil {
		change(&cfg)
	}
	var err error
	if s.app, err = web.New(cfg); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = s.app.Close(context.Background()) })
	s.mux.Handle("/user/", s.app.Handler())
	s.mux.HandleFunc("/", func(rw http.ResponseWriter, r *http.Request) { fmt.Fprintf(rw, "home of %s", s.app.Session(r).Name()) })
	handler = s.app.Wrap(s.mux)
	return s
}

func (w *world) networkTo(s *site) *http.Transport {
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	roots.AppendCertsFromPEM(w.entra.CertificatePEM())
	network := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, MaxIdleConnsPerHost: 64}
	w.Cleanup(network.CloseIdleConnections)
	return network
}

// page makes a route of a handler.
func (s *site) page(path string, h func(http.ResponseWriter, *http.Request, *web.Session)) {
	s.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { h(w, r, s.app.Session(r)) })
}

// logs is what was logged.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// keys are those of the sessions' tokens.
func (w *world) keys() []string {
	w.Helper()
	var keys []string
	for info, err := range w.tokens.Keys(w.Context(), web.TokenPrefix) {
		if err != nil {
			w.Fatal(err)
		}
		keys = append(keys, info.Key)
	}
	return keys
}
