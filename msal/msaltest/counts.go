package msaltest

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Kind names an endpoint, or one grant of the token endpoint.
type Kind string

// The kinds of requests. [KindToken] stands for the token endpoint with
// whatever grant; the kinds that begin with "token/" are parts of it. So it
// is with [KindGraph].
const (
	KindDiscovery Kind = "discovery"  // a tenant's OpenID configuration
	KindInstance  Kind = "instance"   // instance discovery
	KindUserRealm Kind = "userrealm"  // asked before a password is sent
	KindAuthorize Kind = "authorize"  // the page a browser opens
	KindDevice    Kind = "devicecode" // start of a device code sign-in
	KindToken     Kind = "token"      // the token endpoint, any grant
	KindKeys      Kind = "keys"       // the keys that tokens are signed with
	KindLogout    Kind = "logout"     // the page that signs a browser out
	KindGraph     Kind = "graph"      // Microsoft Graph, anything of it
	KindManaged   Kind = "managed"    // the metadata service that has managed identities

	KindTokenDevice   Kind = "token/device_code" // one poll of a device code
	KindTokenPassword Kind = "token/password"
	KindTokenRefresh  Kind = "token/refresh_token"
	KindTokenCode     Kind = "token/authorization_code"
	KindTokenClient   Kind = "token/client_credentials"
	KindTokenBehalf   Kind = "token/jwt-bearer" // on behalf of
	KindTokenOther    Kind = "token/other"      // a grant the fake doesn't know

	KindGraphMe      Kind = "graph/me"
	KindGraphManager Kind = "graph/manager"
	KindGraphPhoto   Kind = "graph/photo"
)

// Kinds returns every kind, in the order of the constants.
func Kinds() []Kind {
	return []Kind{
		KindDiscovery, KindInstance, KindUserRealm, KindAuthorize, KindDevice, KindToken,
		KindTokenDevice, KindTokenPassword, KindTokenRefresh, KindTokenCode,
		KindTokenClient, KindTokenBehalf, KindTokenOther,
		KindKeys, KindLogout, KindManaged, KindGraph, KindGraphMe, KindGraphManager, KindGraphPhoto,
	}
}

// endpoint returns the kind that stands for the whole endpoint.
func (k Kind) endpoint() Kind {
	endpoint, _, _ := strings.Cut(string(k), "/")
	return Kind(endpoint)
}

// includes reports whether a request of kind other counts as one of kind k.
func (k Kind) includes(other Kind) bool { return k == other || k == other.endpoint() }

// Request is one request as it arrived. Header and Form hold secrets; they
// never leave the process that runs the fake.
type Request struct {
	Kind   Kind // the most specific one
	Time   time.Time
	Method string
	Host   string // as the client named it: a cloud's or a region's
	Path   string
	Header http.Header
	Form   url.Values // query and body
	Status int        // HTTP status of the answer; 0 until there is one
	Error  string     // OAuth error code of the answer; empty on success
}

// Requests returns the requests of a kind, in the order of their arrival. The
// result is a copy, but shares Header and Form, which must not be changed. All
// requests are kept until the server is gone.
func (s *Server) Requests(kind Kind) []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []Request
	for _, r := range s.requests {
		if kind.includes(r.Kind) {
			found = append(found, *r)
		}
	}
	return found
}

// Count returns how many requests of a kind have arrived. Requests to the
// fake's own pages under /msaltest are never counted.
func (s *Server) Count(kind Kind) int { return s.Counts()[kind] }

// Counts returns [Server.Count] for all of [Kinds]; none is left out.
func (s *Server) Counts() map[Kind]int {
	counts := map[Kind]int{}
	for _, kind := range Kinds() {
		counts[kind] = 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		counts[r.Kind]++
		if whole := r.Kind.endpoint(); whole != r.Kind {
			counts[whole]++
		}
	}
	return counts
}

// Await waits until at least n requests of a kind have arrived. They may not
// have been answered yet. It fails when ctx ends or the server is closed.
func (s *Server) Await(ctx context.Context, kind Kind, n int) error {
	for {
		s.mu.Lock()
		arrived := s.arrived
		s.mu.Unlock()
		count := s.Count(kind)
		if count >= n {
			return nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return fmt.Errorf("waiting for %d requests of kind %q, have %d: %w", n, kind, count, ctx.Err())
		case <-s.closing:
			return fmt.Errorf("waiting for %d requests of kind %q, have %d: %w", n, kind, count, http.ErrServerClosed)
		}
	}
}

// record notes a request before it is answered, so that a client can't have an
// answer that isn't counted.
func (s *Server) record(kind Kind, r *http.Request) *Request {
	if kind == KindToken {
		kind = tokenKind(r.Form.Get("grant_type"))
	}
	entry := &Request{Kind: kind, Time: time.Now(), Method: r.Method, Host: r.Host, Path: r.URL.Path, Header: r.Header.Clone(), Form: r.Form}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, entry)
	close(s.arrived)
	s.arrived = make(chan struct{})
	return entry
}
