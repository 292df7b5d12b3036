package msal_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

const canary = "CANARY-7f3a"

// canaryLog is a log in two formats.
type canaryLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *canaryLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *canaryLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *canaryLog) logger() *slog.Logger {
	debug := &slog.HandlerOptions{Level: slog.LevelDebug}
	return slog.New(slog.NewMultiHandler(slog.NewJSONHandler(l, debug), slog.NewTextHandler(l, debug)))
}

// TestNothingSecretIsLogged goes through every flow, right and wrong, with a
// marker in each secret.
func TestNothingSecretIsLogged(t *testing.T) {
	t.Parallel()
	for name, pii := range map[string]bool{"S21 redacted": false, "S21 with names": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, &msaltest.Options{Marker: canary, Approver: alice, ClientSecret: canary + "-secret"})
			var log canaryLog
			o := w.options(nil)
			o.Logger, o.LogPII = log.logger(), pii
			everyFlow(t, w, o)
			text := log.String()
			if strings.Contains(text, canary) {
				t.Errorf("a secret was logged: %s", around(text, canary))
			}
			for _, person := range []string{alice, "alice"} {
				if got := strings.Contains(text, person); got != pii {
					t.Errorf("%q was logged: %v; %s", person, got, around(text, person))
				}
			}
			for _, want := range []string{"grant_type=password", "grant_type=refresh_token", "grant_type=authorization_code", "grant_type=client_credentials",
				"grant_type=device_code", "answer.error=invalid_grant", "status=503", "client_id=web", "correlation_id=", "/oauth2/v2.0/devicecode"} {
				if !strings.Contains(text, want) {
					t.Errorf("no %s was logged", want)
				}
			}
		})
	}
}

// around shows where a text has what it should not.
func around(text, what string) string {
	i := strings.Index(text, what)
	if i < 0 {
		return ""
	}
	return text[max(0, i-200):min(len(text), i+100)]
}

func everyFlow(t *testing.T, w *world, o *msal.Options) {
	t.Helper()
	p := w.public(o)
	r, err := passwords(p.MSAL()).AcquireTokenByUsernamePassword(t.Context(), scopes, alice, w.srv.Password(alice))
	if err != nil {
		t.Fatal(err)
	}
	forced := &msal.SilentOptions{Account: &r.Account, ForceRefresh: true}
	silently(t, p, forced)
	w.byCodeFlow(p)
	secret, err := msal.Secret(canary + "-secret")
	if err != nil {
		t.Fatal(err)
	}
	c, err := msal.NewConfidential("web", secret, o)
	if err != nil {
		t.Fatal(err)
	}
	w.byCodeFlow(c)
	_, err1 := c.ForClient(t.Context(), []string{"api://orders/.default"}, nil)
	flow, err2 := p.BeginDevice(t.Context(), scopes, "")
	_, err3 := p.CompleteDevice(t.Context(), flow, nil)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	w.srv.Fail(msaltest.KindTokenRefresh,
		msaltest.Failure{Code: "invalid_grant", SubError: "bad_token", Description: "alice@contoso.example has no " + canary + strings.Repeat("x", 60)},
		msaltest.Failure{Status: 503, Description: "try later"})
	for range 2 {
		if _, err := p.Silent(t.Context(), scopes, forced); err == nil {
			t.Fatal("no failure")
		}
	}
}

// TestLoggedNetworkErrors: an error of the network has the request's URL in it,
// and that the name of whom it is about.
func TestLoggedNetworkErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	var log canaryLog
	o := w.options(nil)
	o.Logger = log.logger()
	o.HTTPClient = &http.Client{Transport: brokenFor{w.srv.Client().Transport, "/UserRealm/"}}
	if _, err := byPassword(t.Context(), w.public(o).MSAL(), alice); err == nil {
		t.Fatal("no error")
	}
	if text := log.String(); strings.Contains(text, "alice") || !strings.Contains(text, "the line is cut") {
		t.Errorf("logged %s", text)
	}
}

// brokenFor fails requests to some path.
type brokenFor struct {
	http.RoundTripper
	path string
}

func (b brokenFor) RoundTrip(req *http.Request) (*http.Response, error) {
	if strings.Contains(req.URL.Path, b.path) {
		return nil, fmt.Errorf("the line is cut: %w", io.ErrUnexpectedEOF)
	}
	return b.RoundTripper.RoundTrip(req)
}

// TestLoggedNothingBelowDebug: a logger for less is told nothing.
func TestLoggedNothingBelowDebug(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	var log canaryLog
	o := w.options(nil)
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	w.signedInPublic(o)
	if log.String() != "" {
		t.Errorf("logged %s", log.String())
	}
}
