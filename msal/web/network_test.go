package web_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/msalext/msalext/msal/msaltest"
	"github.com/msalext/msalext/msal/web"
)

// TestSecretsStay: a redirect doesn't make the application's HTTP client send its
// secret and a code on to anybody.
func TestSecretsStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	var led atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { led.Add(1) }))
	t.Cleanup(elsewhere.Close)
	own := &http.Client{Transport: w.entra.Client().Transport}
	b := w.browser(w.serve(func(c *web.Config) { c.HTTPClient = own }))
	w.entra.Fail(msaltest.KindTokenCode, msaltest.Failure{
		Status: http.StatusPermanentRedirect, Code: "moved", Header: http.Header{"Location": {elsewhere.URL}},
	})
	a := b.fromEntra(b.approve(w, b.begin("/user/login"), alice))
	if a.StatusCode < http.StatusBadRequest || led.Load() != 0 {
		t.Errorf("status %d, %d requests elsewhere", a.StatusCode, led.Load())
	}
	if own.CheckRedirect != nil || own.Timeout != 0 {
		t.Error("the caller's client was changed")
	}
}

// TestGraphTimeOut: Graph's answers are waited for, but not for ever.
func TestGraphTimeOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, c := range []struct{ own, want time.Duration }{{0, time.Minute}, {time.Hour, time.Hour}} {
		b := w.browser(w.serve(func(cfg *web.Config) {
			cfg.HTTPClient = &http.Client{Transport: w.entra.Client().Transport, Timeout: c.own}
		}))
		b.signIn(w, "/user/login", alice)
		err := b.with(func(r *http.Request, s *web.Session) error {
			if got := s.Graph().Client.Timeout; got != c.want {
				t.Errorf("%s instead of %s", got, c.want)
			}
			_, err := s.Graph().Me(r.Context())
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}
