package msal

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/msalext/msalext/extensions/persist"
)

// network is what MSAL's clients send their requests through.
func (o *Options) network(c *persist.PersistedTokenCache) *exchanges {
	once := logged(&attempt{Doer: o.sender(), timeout: o.Timeout, headers: o.headers()}, o.Logger, o.LogPII)
	again := doing{Retry(tripping{once}, o.Retry)}
	return &exchanges{HTTPClient(c, DeviceNetwork(SharedDiscovery(again)))}
}

// sender is what requests leave this process by.
func (o *Options) sender() Doer {
	if o.HTTPClient != nil {
		return o.HTTPClient
	}
	return &http.Client{Transport: o.transport(), CheckRedirect: withoutSecrets}
}

// transport is the default one where nothing else is asked for, so that clients
// share its connections.
func (o *Options) transport() http.RoundTripper {
	if o.Proxy == nil && o.RootCAs == nil && !o.InsecureSkipVerify {
		return http.DefaultTransport
	}
	own := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
	if standard, ok := http.DefaultTransport.(*http.Transport); ok {
		own = standard.Clone()
	}
	if o.Proxy != nil {
		own.Proxy = o.Proxy
	}
	own.TLSClientConfig = &tls.Config{RootCAs: o.RootCAs, InsecureSkipVerify: o.InsecureSkipVerify, MinVersion: tls.VersionTLS12}
	return own
}

// withoutSecrets follows redirects, but not of a request with a body: that has a
// password, a token or a secret, and 307 and 308 would send it on to anybody.
func withoutSecrets(_ *http.Request, via []*http.Request) error {
	if via[0].Method == http.MethodPost {
		return http.ErrUseLastResponse
	}
	if len(via) >= 10 { // what package http does by itself
		return errors.New("stopped after 10 redirects")
	}
	return nil
}

// headers are what tells Microsoft which program asks.
func (o *Options) headers() http.Header {
	h := http.Header{}
	if o.AppName != "" {
		h.Set("x-app-name", o.AppName)
	}
	if o.AppVersion != "" {
		h.Set("x-app-ver", o.AppVersion)
	}
	return h
}

// maxAnswer is far above what any endpoint answers: tokens are some kilobytes,
// and discovery documents less than one megabyte.
const maxAnswer = 4 << 20

// ErrAnswerTooLarge: an answer was longer than 4 MiB, and the rest of it wasn't
// read. Whatever sent it isn't an identity provider.
var ErrAnswerTooLarge = errors.New("the answer is longer than 4 MiB")

// attempt sends a request once, and reads the answer.
type attempt struct {
	Doer

	timeout time.Duration
	headers http.Header
}

func (a *attempt) Do(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if a.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, a.timeout)
		defer cancel()
	}
	req = req.Clone(ctx)
	for name, values := range a.headers {
		req.Header[name] = values
	}
	resp, err := a.Doer.Do(req)
	if err != nil || resp.Body == nil {
		return resp, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	_ = resp.Body.Close() // reading it has failed or hasn't, which says all
	if err != nil {
		return nil, fmt.Errorf("reading the answer of %s: %w", req.URL.Host, err)
	}
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("reading the answer of %s: %w", req.URL.Host, ErrAnswerTooLarge)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// tripping is a Doer where a RoundTripper is wanted, and doing the reverse.
type (
	tripping struct{ Doer }
	doing    struct{ http.RoundTripper }
)

func (t tripping) RoundTrip(req *http.Request) (*http.Response, error) { return t.Do(req) }

func (d doing) Do(req *http.Request) (*http.Response, error) { return d.RoundTrip(req) }

func (d doing) CloseIdleConnections() { closeIdle(d.RoundTripper) }
