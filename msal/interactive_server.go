package msal

import (
	"cmp"
	"context"
	"crypto/subtle"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"
)

// browserBack is the page of this machine to which the browser comes back.
type browserBack struct {
	uri     string // with the port
	path    string
	server  *http.Server
	answers chan browserAnswer
	closed  chan struct{}
	success string
	failure string

	mu    sync.Mutex
	state string // empty: the page isn't open yet, or the answer has come
}

// browserAnswer is what the browser brought. The browser waits for the outcome,
// to tell the person.
type browserAnswer struct {
	form    url.Values
	outcome chan<- error
}

const (
	successPage = `<!DOCTYPE html><meta charset="utf-8"><title>Signed in</title><p>You are signed in. You can close this window.`
	failurePage = `<!DOCTYPE html><meta charset="utf-8"><title>Not signed in</title><p>Signing in did not work. Go back to the application, which knows more.`
)

// waitForBrowser listens at the redirect URI.
func waitForBrowser(ctx context.Context, o *InteractiveOptions) (*browserBack, error) {
	u, err := url.Parse(cmp.Or(o.RedirectURI, "http://localhost"))
	if err != nil || u.Scheme != "http" || !onThisMachine(u.Hostname()) || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%w: RedirectURI has to be such as http://localhost", ErrFlow)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "0")))
	if err != nil {
		return nil, fmt.Errorf("waiting for the browser: %w", err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return nil, err
	}
	u.Host = net.JoinHostPort(u.Hostname(), port)
	b := &browserBack{
		uri: u.String(), path: cmp.Or(u.Path, "/"), answers: make(chan browserAnswer), closed: make(chan struct{}),
		success: cmp.Or(o.SuccessPage, successPage), failure: cmp.Or(o.ErrorPage, failurePage),
	}
	b.server = &http.Server{Handler: b, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = b.server.Serve(listener) }() // ends by close
	return b, nil
}

// onThisMachine: http is safe only where nobody is on the way (RFC 8252 §7.3).
func onThisMachine(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// expect says which answer is the right one.
func (b *browserBack) expect(state string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.state = state
}

// close lets the browser have its page, and stops listening.
func (b *browserBack) close() {
	close(b.closed)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if b.server.Shutdown(ctx) != nil {
		_ = b.server.Close() // whoever still has a connection shows no person anything
	}
}

// ServeHTTP takes the one answer that has the state. Anybody on this machine, and
// any page in the browser, can send others.
func (b *browserBack) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != b.path {
		http.NotFound(w, r)
		return
	}
	form, ok := answerIn(w, r)
	if !ok || !b.mine(form.Get("state")) {
		b.show(w, http.StatusBadRequest, b.failure)
		return
	}
	outcome := make(chan error, 1)
	select {
	case b.answers <- browserAnswer{form, outcome}:
	case <-b.closed: // too late
		b.show(w, http.StatusBadRequest, b.failure)
		return
	}
	if err := <-outcome; err != nil {
		b.show(w, http.StatusBadRequest, b.failure)
		return
	}
	b.show(w, http.StatusOK, b.success)
}

// answerIn reads the parameters of the answer: of a form, which is what was asked
// for, or of the query, from providers that don't know forms.
func answerIn(w http.ResponseWriter, r *http.Request) (url.Values, bool) {
	switch r.Method {
	case http.MethodGet:
		return r.URL.Query(), true
	case http.MethodPost:
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		err := r.ParseForm()
		return r.PostForm, err == nil
	}
	return nil, false
}

// mine compares the state, which is good for one answer.
func (b *browserBack) mine(state string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state == "" || subtle.ConstantTimeCompare([]byte(b.state), []byte(state)) != 1 {
		return false
	}
	b.state = ""
	return true
}

func (b *browserBack) show(w http.ResponseWriter, status int, page string) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Connection", "close")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, page) // a failed write means that the browser is gone
}
