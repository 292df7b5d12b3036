package msal_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

func TestOptionHTTPClient(t *testing.T) {
	t.Run("S13 own HTTP client", func(t *testing.T) {
		const mine = "mine"
		optionShows(t, header("x-through"), func(w *world, o *msal.Options) {
			o.HTTPClient = network(func(req *http.Request) (*http.Response, error) {
				req.Header.Set("x-through", mine)
				return w.srv.Client().Do(req)
			})
		}, mine, "")
	})
}

// direct is a client of ours that the options make, and not one that is given.
func direct(w *world, o *msal.Options) {
	o.HTTPClient = nil
	o.RootCAs = x509.NewCertPool()
	o.RootCAs.AppendCertsFromPEM(w.srv.CertificatePEM())
	o.Proxy = func(*http.Request) (*url.URL, error) { return nil, nil }
}

// trusts tells whether the fake's certificate is accepted.
func trusts(t *testing.T, w *world, o *msal.Options) string {
	o.HTTPClient = nil
	err := appToken(t.Context(), w, o)
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); unknown {
		return "refused"
	}
	return fmt.Sprint(err)
}

func TestOptionRootCAs(t *testing.T) {
	t.Run("A10 certificate authorities", func(t *testing.T) { optionShows(t, trusts, direct, "<nil>", "refused") })
}

func TestOptionInsecureSkipVerify(t *testing.T) {
	t.Run("A10 no certificate verified", func(t *testing.T) {
		optionShows(t, trusts, func(_ *world, o *msal.Options) { o.InsecureSkipVerify = true }, "<nil>", "refused")
	})
}

func TestOptionProxy(t *testing.T) {
	t.Run("A11 proxy", func(t *testing.T) {
		var asked atomic.Int32
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodConnect {
				asked.Add(1)
			}
			w.WriteHeader(http.StatusForbidden)
		}))
		defer proxy.Close()
		optionShows(t, func(t *testing.T, w *world, o *msal.Options) string {
			before := asked.Load()
			ours := o.Proxy
			direct(w, o)
			if ours != nil {
				o.Proxy = ours
			}
			err := appToken(t.Context(), w, o)
			return fmt.Sprint(asked.Load()-before, " ", err == nil)
		}, func(_ *world, o *msal.Options) {
			o.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(proxy.URL) }
		}, "1 false", "0 true")
	})
}

func TestOptionTimeout(t *testing.T) {
	t.Run("A12 time-out", func(t *testing.T) {
		const patient = "waits for half a minute"
		optionShows(t, func(t *testing.T, w *world, o *msal.Options) string {
			base := o.HTTPClient
			o.HTTPClient = network(func(req *http.Request) (*http.Response, error) {
				if req.Method != http.MethodPost {
					return base.Do(req)
				}
				if until, _ := req.Context().Deadline(); time.Until(until) > 10*time.Second {
					return nil, errors.New(patient) // MSAL's own time, which nobody waits for here
				}
				<-req.Context().Done()
				return nil, req.Context().Err()
			})
			err := appToken(t.Context(), w, o)
			if err != nil && strings.Contains(err.Error(), patient) {
				return patient
			}
			return fmt.Sprint(errors.Is(err, context.DeadlineExceeded))
		}, func(_ *world, o *msal.Options) { o.Timeout = 50 * time.Millisecond }, "true", patient)
	})
}

func TestOptionRetry(t *testing.T) {
	t.Run("S14 attempts", func(t *testing.T) {
		optionShows(t, func(t *testing.T, w *world, o *msal.Options) string {
			busy := msaltest.Failure{Status: http.StatusTooManyRequests}
			w.srv.Fail(msaltest.KindToken, busy, busy)
			err := appToken(t.Context(), w, o)
			return fmt.Sprint(w.srv.Count(msaltest.KindToken), err == nil)
		}, func(_ *world, o *msal.Options) { o.Retry = &msal.RetryOptions{Backoff: time.Millisecond} }, "3 true", "1 false")
	})
}
