package msal_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// TestDeviceFeatures is device code sign-in by way of our own clients, with the
// ids of docs/msal.md.
func TestDeviceFeatures(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*world){
		"A19 initiate_device_flow":             deviceBegins,
		"A20 polls at the server's pace":       devicePace,
		"A21 ended early":                      deviceEndedEarly,
		"A22 watched":                          deviceWatched,
		"A23 in another process":               deviceElsewhere,
		"A24 declined":                         deviceDeclined,
		"A24 expired":                          deviceExpired,
		"A24 refused before anybody was asked": deviceRefused,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(newWorld(t, nil))
		})
	}
}

func (w *world) beginDevice(p *msal.Public) msal.DeviceFlow {
	w.Helper()
	flow, err := p.BeginDevice(w.Context(), scopes, "")
	if err != nil {
		w.Fatal(err)
	}
	return flow
}

// approveDevice has alice enter the code.
func (w *world) approveDevice(flow msal.DeviceFlow) {
	w.Helper()
	if err := w.srv.Approve(flow.UserCode, alice); err != nil {
		w.Fatal(err)
	}
}

func deviceBegins(w *world) {
	flow := w.beginDevice(w.public(w.options(nil)))
	if flow.UserCode == "" || flow.VerificationURI == "" || flow.Message == "" || flow.Interval != time.Second || time.Until(flow.ExpiresAt) < time.Minute {
		w.Errorf("began %#v", flow)
	}
}

func devicePace(w *world) {
	p := w.public(w.options(nil))
	flow := w.beginDevice(p)
	r, err := p.CompleteDevice(w.Context(), flow, func(f msal.DeviceFlow) error { w.approveDevice(f); return nil })
	if err != nil || r.Account.PreferredUsername != alice {
		w.Fatal(r, err)
	}
	if polls := w.srv.Requests(msaltest.KindTokenDevice); len(polls) != 2 || polls[1].Time.Sub(polls[0].Time) < time.Second {
		w.Errorf("%d polls, which were too early", len(polls))
	}
}

var errEnough = errors.New("enough")

func deviceEndedEarly(w *world) {
	p := w.public(w.options(nil))
	flow := w.beginDevice(p)
	if _, err := p.CompleteDevice(w.Context(), flow, func(msal.DeviceFlow) error { return errEnough }); !errors.Is(err, errEnough) {
		w.Error(err)
	}
	if n := w.srv.Count(msaltest.KindTokenDevice); n != 1 {
		w.Errorf("%d polls", n)
	}
}

func deviceWatched(w *world) {
	w.srv.Fail(msaltest.KindTokenDevice, msaltest.Failure{Code: "slow_down"})
	p := w.public(w.options(nil))
	flow := w.beginDevice(p)
	var seen []time.Duration
	_, err := p.CompleteDevice(w.Context(), flow, func(f msal.DeviceFlow) error {
		seen = append(seen, f.Interval)
		return errEnough
	})
	if !errors.Is(err, errEnough) || len(seen) != 1 || seen[0] != flow.Interval+5*time.Second {
		w.Errorf("seen intervals %v, %v", seen, err)
	}
}

func deviceElsewhere(w *world) {
	text, err := json.Marshal(w.beginDevice(w.public(w.options(nil))))
	if err != nil {
		w.Fatal(err)
	}
	var later msal.DeviceFlow
	if err := json.Unmarshal(text, &later); err != nil {
		w.Fatal(err)
	}
	w.approveDevice(later)
	cache, _ := w.cache(nil)
	p := w.public(w.options(cache))
	r, err := p.CompleteDevice(w.Context(), later, nil)
	if err != nil || r.Account.PreferredUsername != alice || w.people() != alice {
		w.Errorf("%v, %v; stored: %s", r, err, w.people())
	}
	if n := w.srv.Count(msaltest.KindDevice); n != 1 {
		w.Errorf("%d codes were asked for", n)
	}
}

func deviceDeclined(w *world) { w.deviceFails(w.srv.Decline, msal.ErrAccessDenied, "declined") }
func deviceExpired(w *world)  { w.deviceFails(w.srv.ExpireDeviceCode, msal.ErrExpired, "expired") }

// deviceFails wants the server's own text, which MSAL's error has lost.
func (w *world) deviceFails(end func(string) error, want error, text string) {
	w.Helper()
	p := w.public(w.options(nil))
	flow := w.beginDevice(p)
	if err := end(flow.UserCode); err != nil {
		w.Fatal(err)
	}
	_, err := p.CompleteDevice(w.Context(), flow, nil)
	told, ok := errors.AsType[*msal.Error](err)
	if !ok || !errors.Is(err, want) || !strings.Contains(told.Description, text) {
		w.Errorf("got %v", err)
	}
}

func deviceRefused(w *world) {
	w.srv.Fail(msaltest.KindDevice, msaltest.Failure{Code: "invalid_client", Description: "no such application"})
	if _, err := w.public(w.options(nil)).BeginDevice(w.Context(), scopes, ""); !errors.Is(err, msal.ErrInvalidClient) {
		w.Errorf("got %v", err)
	}
}

// TestErrorFeatures has each word of the server's come out of a call.
func TestErrorFeatures(t *testing.T) {
	t.Parallel()
	for code, c := range map[string]struct {
		status int
		is     error
	}{
		"interaction_required":    {400, msal.ErrInteractionRequired},
		"invalid_grant":           {400, msal.ErrInvalidGrant},
		"invalid_client":          {401, msal.ErrInvalidClient},
		"invalid_scope":           {400, msal.ErrInvalidScope},
		"access_denied":           {403, msal.ErrAccessDenied},
		"server_error":            {500, msal.ErrServerBusy},
		"temporarily_unavailable": {503, msal.ErrServerBusy},
	} {
		t.Run("C19 "+code, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			p, who := w.signedInPublic(w.options(nil))
			w.srv.Fail(msaltest.KindTokenRefresh, msaltest.Failure{
				Status: c.status, Code: code, SubError: "sub", Codes: []int{50076, 1}, Description: "Do more.", Claims: `{"access_token":{}}`,
			})
			who.ForceRefresh = true
			_, err := p.Silent(t.Context(), scopes, who)
			got, ok := errors.AsType[*msal.Error](err)
			if !ok || !errors.Is(err, c.is) || got.Code != code || got.SubError != "sub" || got.Status != c.status ||
				len(got.Codes) != 2 || got.CorrelationID == "" || got.Claims != `{"access_token":{}}` || !strings.Contains(got.Description, "Do more.") {
				t.Errorf("got %#v", got)
			}
		})
	}
	t.Run("C19 token_expired", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, nil)
		p, who := w.signedInPublic(w.options(nil))
		w.srv.Fail(msaltest.KindTokenRefresh, msaltest.Failure{Code: "invalid_grant", SubError: "token_expired"})
		who.ForceRefresh = true
		if _, err := p.Silent(t.Context(), scopes, who); !errors.Is(err, msal.ErrExpired) || !errors.Is(err, msal.ErrInteractionRequired) {
			t.Errorf("got %v", err)
		}
	})
}
