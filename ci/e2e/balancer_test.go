//go:build e2e

package e2e

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
)

// startBalancer starts what stands before several servers: it speaks TLS, and
// asks one after the other. One that doesn't listen is passed over; what else
// goes wrong is 502.
func startBalancer(t testing.TB, addresses []string) *httptest.Server {
	t.Helper()
	b := &balancer{transport: &http.Transport{MaxIdleConnsPerHost: 256}}
	for _, address := range addresses {
		b.targets = append(b.targets, &url.URL{Scheme: "http", Host: address})
	}
	proxy := &httputil.ReverseProxy{
		Transport: b,
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(b.targets[0]); r.Out.Host = r.In.Host; r.SetXForwarded() },
		ErrorLog:  log.New(io.Discard, "", 0), // clients count what went wrong
	}
	s := httptest.NewTLSServer(proxy)
	s.Config.ErrorLog = proxy.ErrorLog
	t.Cleanup(s.Close)
	return s
}

type balancer struct {
	transport *http.Transport
	targets   []*url.URL
	turn      atomic.Uint64
}

func (b *balancer) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	turn := b.turn.Add(1)
	for i := range b.targets {
		r.URL.Host = b.targets[(turn+uint64(i))%uint64(len(b.targets))].Host
		resp, err = b.transport.RoundTrip(r)
		if op, ok := errors.AsType[*net.OpError](err); !ok || op.Op != "dial" {
			break
		}
	}
	return resp, err
}
