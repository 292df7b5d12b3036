package msal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	msalerrors "github.com/AzureAD/microsoft-authentication-library-for-go/apps/errors"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

var meanings = map[string]error{
	"interaction": msal.ErrInteractionRequired, "grant": msal.ErrInvalidGrant, "client": msal.ErrInvalidClient, "scope": msal.ErrInvalidScope,
	"denied": msal.ErrAccessDenied, "expired": msal.ErrExpired, "busy": msal.ErrServerBusy,
}

// meaning lists what an error is, in the order of the alphabet.
func meaning(err error) string {
	var all []string
	for _, name := range []string{"busy", "client", "denied", "expired", "grant", "interaction", "scope"} {
		if errors.Is(err, meanings[name]) {
			all = append(all, name)
		}
	}
	return strings.Join(all, " ")
}

func TestErrorMeans(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		err  msal.Error
		want string
	}{
		{"interaction required", msal.Error{Code: "interaction_required"}, "interaction"},
		{"prompt none", msal.Error{Code: "login_required"}, "interaction"},
		{"consent", msal.Error{Code: "invalid_grant", SubError: "consent_required"}, "grant interaction"},
		{"wrong password", msal.Error{Code: "invalid_grant", Grant: "password", Codes: []int{50126}}, "grant"},
		{"refresh token refused", msal.Error{Code: "invalid_grant", Grant: "refresh_token"}, "grant interaction"},
		{"refresh token of another client", msal.Error{Code: "invalid_grant", SubError: "client_mismatch", Grant: "refresh_token"}, "grant"},
		{"refresh token too old", msal.Error{Code: "invalid_grant", SubError: "token_expired", Codes: []int{700082}}, "expired grant interaction"},
		{"code too old", msal.Error{Code: "invalid_grant", Codes: []int{70008}}, "expired grant"},
		{"device code too old", msal.Error{Code: "expired_token"}, "expired"},
		{"device code declined", msal.Error{Code: "authorization_declined"}, "denied"},
		{"browser declined", msal.Error{Code: "access_denied"}, "denied"},
		{"secret refused", msal.Error{Code: "invalid_client", Status: 401}, "client"},
		{"scope refused", msal.Error{Code: "invalid_scope"}, "scope"},
		{"server says busy", msal.Error{Code: "temporarily_unavailable"}, "busy"},
		{"gateway", msal.Error{Status: 502}, "busy"},
		{"throttled", msal.Error{Code: "invalid_request", Status: 429}, "busy"},
		{"nothing", msal.Error{}, ""},
		{"other letter case", msal.Error{Code: "Invalid_Grant"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := meaning(fmt.Errorf("signing in: %w", &c.err)); got != c.want {
				t.Errorf("means %q, want %q", got, c.want)
			}
		})
	}
}

// canned is a network that answers each token request alike, and passes on
// everything else.
type canned struct {
	*http.Client
	status int
	body   string
}

func (c canned) Do(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodPost {
		return c.Client.Do(req)
	}
	return &http.Response{StatusCode: c.status, Body: io.NopCloser(strings.NewReader(c.body)), Header: http.Header{}, Request: req}, nil
}

// TestErrorsHoldNoSecrets: what an answer echoes, or has where it isn't valid
// JSON, appears in MSAL's error and not in ours.
func TestErrorsHoldNoSecrets(t *testing.T) {
	t.Parallel()
	const secret = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl"
	for name, c := range map[string]canned{
		"broken JSON":         {status: 200, body: `{"access_token":"` + secret + `",`},
		"echo":                {status: 400, body: `{"error":"invalid_grant","error_description":"got ` + msaltest.DefaultPassword + ` and ` + secret + `"}`},
		"in other members":    {status: 400, body: `{"error":"` + secret + `","suberror":"` + secret + `","correlation_id":"` + secret + `","error_uri":"https://x/?t=` + secret + `"}`},
		"a page":              {status: 500, body: "<p>" + secret + msaltest.DefaultPassword},
		"with the wrong type": {status: 400, body: `{"error":"invalid_grant","error_codes":["x"],"error_description":"` + secret + `","access_token":"` + secret + `"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			c.Client = w.srv.Client()
			client, err := public.New("client", public.WithAuthority(w.srv.Authority()), public.WithHTTPClient(c), public.WithInstanceDiscovery(false))
			if err != nil {
				t.Fatal(err)
			}
			_, err = byPassword(t.Context(), client, alice)
			if !strings.Contains(err.Error(), secret) {
				t.Errorf("MSAL's own error has no secret: %v", err)
			}
			got := msal.FromMSAL(err)
			if _, ok := errors.AsType[*msal.Error](got); !ok {
				t.Fatalf("%T", got)
			}
			wantNoSecrets(t, got, secret, msaltest.DefaultPassword)
		})
	}
}

// wantNoSecrets prints err in every way there is.
func wantNoSecrets(t *testing.T, err error, secrets ...string) {
	t.Helper()
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Error("failed", "err", err)
	slog.New(slog.NewTextHandler(&log, nil)).Error("failed", "err", err)
	members, jsonErr := json.Marshal(err)
	text := fmt.Sprintf("%v %+v %#v %s %s %v %s", err, err, err, log.String(), members, jsonErr, msalerrors.Verbose(err))
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			t.Errorf("a secret in %s", text)
		}
	}
}

func TestErrorNamesNobody(t *testing.T) {
	t.Parallel()
	e := &msal.Error{Code: "invalid_grant", Description: "AADSTS50034: alice@contoso.example isn't\r\nlevel=ERROR \x1b[31m there.", Codes: []int{50034}, CorrelationID: "c-1"}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Error("failed", "err", e)
	if text := e.Error() + log.String(); strings.Contains(text, "alice") || strings.Count(text, "\n") != 1 || strings.Contains(text, "\x1b") {
		t.Errorf("%q", text)
	}
	for _, want := range []string{"err.error=invalid_grant", "err.aadsts=[50034]", "err.correlation_id=c-1"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %s in %s", want, &log)
		}
	}
}
