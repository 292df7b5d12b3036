package msaltest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"time"
)

// Server is a running fake. All its methods are safe for concurrent use, also
// while requests are served.
type Server struct {
	opts    Options
	http    *httptest.Server
	client  *http.Client
	closing chan struct{}
	close   sync.Once

	mu       sync.Mutex
	users    map[string]User          // by lower-case user name
	devices  map[string]*deviceCode   // by device code
	codes    map[string]*authCode     // by authorization code
	refresh  map[string]*refreshToken // by token
	apps     map[string]App           // by client id
	keys     []signingKey             // the one that signs first; empty: not made yet
	sealing  []byte                   // of tokens that can't be signed
	failures map[Kind][]Failure       // still to be served
	requests []*Request
	arrived  chan struct{} // closed and replaced whenever requests grows
}

// New starts a fake on a free loopback port; nil options mean all defaults.
// Call [Server.Close] when done. Like [httptest.NewTLSServer], it panics when
// it can't listen on the loopback interface at all.
func New(opts *Options) *Server {
	s := &Server{
		opts:     opts.withDefaults(),
		closing:  make(chan struct{}),
		users:    map[string]User{},
		devices:  map[string]*deviceCode{},
		codes:    map[string]*authCode{},
		refresh:  map[string]*refreshToken{},
		apps:     map[string]App{},
		sealing:  []byte(rand.Text()),
		failures: map[Kind][]Failure{},
		arrived:  make(chan struct{}),
	}
	s.http = httptest.NewUnstartedServer(s.routes())
	s.http.Config.ErrorLog = log.New(withoutHandshakes{os.Stderr}, "msaltest: ", log.LstdFlags)
	s.http.StartTLS()
	s.client = clientTrusting(s.http.Certificate())
	return s
}

// withoutHandshakes drops the lines about clients that left during a TLS
// handshake: connections dialled to spare fill a busy test's output with them,
// and a client that doesn't trust the fake reports that itself.
type withoutHandshakes struct{ io.Writer }

func (w withoutHandshakes) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("TLS handshake error")) {
		return len(line), nil
	}
	return w.Writer.Write(line)
}

// Close stops the fake and waits for the requests being served. Further calls
// do nothing.
func (s *Server) Close() {
	s.close.Do(func() {
		close(s.closing)
		s.client.CloseIdleConnections()
		s.http.Close()
	})
}

// URL returns the fake's address without a path: https://127.0.0.1:PORT.
func (s *Server) URL() string { return s.http.URL }

// Authority returns the authority for MSAL: [Server.URL] followed by the
// tenant of [Options].
func (s *Server) Authority() string { return s.URL() + "/" + s.opts.Tenant }

// Client returns an HTTP client that trusts the fake's certificate and no
// other. It is the same client on every call, and closed with the server.
func (s *Server) Client() *http.Client { return s.client }

// CloudClient returns a new HTTP client that connects to the fake whatever
// host a URL names, also for http. MSAL clients that use it can keep an
// authority such as https://login.microsoftonline.com/contoso.example, instance
// discovery and regions; the fake answers under the host it was asked as, and
// knows which names of Microsoft's clouds are aliases of one another. Microsoft
// Graph and the metadata service for managed identities are found at their
// usual addresses.
func (s *Server) CloudClient() *http.Client {
	client := clientTrusting(s.http.Certificate())
	transport := client.Transport.(*http.Transport)
	// The certificate is made out to the loopback address, not to these hosts.
	transport.TLSClientConfig.ServerName = "127.0.0.1"
	address := s.http.Listener.Addr()
	transport.DialContext = func(ctx context.Context, _, asked string) (net.Conn, error) {
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, address.Network(), address.String())
		if _, port, _ := net.SplitHostPort(asked); err == nil && port == "80" {
			// The fake speaks TLS only, and the client thinks it needs none.
			return tls.Client(conn, transport.TLSClientConfig), nil
		}
		return conn, err
	}
	return client
}

// SetExpiresIn changes [Options.ExpiresIn] for the tokens that are issued from
// now on.
func (s *Server) SetExpiresIn(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.ExpiresIn = positive(d, DefaultExpiresIn)
}

// CertificatePEM returns the fake's certificate for another process to trust
// (see [Connect]). It isn't a secret.
func (s *Server) CertificatePEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.http.Certificate().Raw})
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{tenant}/v2.0/.well-known/openid-configuration", s.serve(KindDiscovery, s.openIDConfiguration))
	mux.Handle("GET /common/discovery/instance", s.serve(KindInstance, s.instanceDiscovery))
	mux.Handle("GET /common/UserRealm/{username}", s.serve(KindUserRealm, s.userRealm))
	mux.Handle("GET /{tenant}/oauth2/v2.0/authorize", s.serve(KindAuthorize, s.authorizePage))
	mux.Handle("POST /{tenant}/oauth2/v2.0/devicecode", s.serve(KindDevice, s.startDevice))
	mux.Handle("POST /{tenant}/oauth2/v2.0/token", s.serve(KindToken, s.token))
	mux.Handle("GET /{tenant}/discovery/v2.0/keys", s.serve(KindKeys, s.publishKeys))
	mux.Handle("GET /{tenant}/oauth2/v2.0/logout", s.serve(KindLogout, s.signOut))
	mux.Handle("GET /metadata/identity/oauth2/token", s.serve(KindManaged, s.managedIdentity))
	mux.Handle("GET /v1.0/me", s.serve(KindGraphMe, s.me))
	mux.Handle("GET /v1.0/me/manager", s.serve(KindGraphManager, s.manager))
	mux.Handle("GET /v1.0/me/photo/$value", s.serve(KindGraphPhoto, s.photo))
	s.controlRoutes(mux)
	return mux
}

// delay waits for the latency, and reports whether anybody still waits for
// the answer.
func (s *Server) delay(ctx context.Context) bool {
	if s.opts.Latency <= 0 {
		return true
	}
	timer := time.NewTimer(s.opts.Latency)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-s.closing:
	}
	return false
}

// secret makes an unguessable value; kind makes it recognizable in a dump.
func (s *Server) secret(kind string) string {
	return s.opts.marked(kind + "-" + rand.Text())
}
