package msal_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	msalerrors "github.com/AzureAD/microsoft-authentication-library-for-go/apps/errors"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// TestFromMSAL has MSAL's own client meet each answer.
func TestFromMSAL(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		failure msaltest.Failure
		want    msal.Error
		means   string
	}{
		{"everything", msaltest.Failure{Code: "invalid_grant", SubError: "basic_action", Codes: []int{50076, 1}, Claims: `{"access_token":{}}`, Description: "Do more."},
			msal.Error{Code: "invalid_grant", SubError: "basic_action", Codes: []int{50076, 1}, Claims: `{"access_token":{}}`, Status: 400, Grant: "password"}, "grant interaction"},
		{"numbers in the text alone", msaltest.Failure{Code: "invalid_client", Description: "AADSTS7000215: no."},
			msal.Error{Code: "invalid_client", Codes: []int{7000215}, Status: 401, Grant: "password"}, "client"},
		{"throttled", msaltest.Failure{Status: 429, Code: "temporarily_unavailable", RetryAfter: 7 * time.Second},
			msal.Error{Code: "temporarily_unavailable", Status: 429, RetryAfter: 7 * time.Second, Grant: "password"}, "busy"},
		{"a proxy's page", msaltest.Failure{Status: 502, Description: "<html>Bad gateway</html>"},
			msal.Error{Status: 502, Grant: "password"}, "busy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.srv.Fail(msaltest.KindToken, c.failure)
			_, err := byPassword(t.Context(), w.publicAlone(), alice)
			got, ok := errors.AsType[*msal.Error](msal.FromMSAL(err))
			if !ok {
				t.Fatalf("%T", msal.FromMSAL(err))
			}
			if c.want.Code != "" && (got.CorrelationID == "" || got.TraceID == "" || !strings.Contains(got.Description, c.failure.Description)) {
				t.Errorf("got %+v", *got)
			}
			plain := *got
			plain.Description, plain.CorrelationID, plain.TraceID = "", "", ""
			if diff := cmp.Diff(c.want, plain); diff != "" || meaning(got) != c.means {
				t.Error(meaning(got), diff)
			}
			if again := msal.FromMSAL(fmt.Errorf("wrapped: %w", got)); !errors.Is(again, got) {
				t.Error("changed what was converted before")
			}
		})
	}
}

// TestFromMSALKnowsDrainedAnswers: MSAL reads the body of each poll's answer,
// so that whoever reads it from the error finds nothing.
func TestFromMSALKnowsDrainedAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do   func(*msaltest.Server, string) error
		code string
		is   error
	}{
		"declined": {(*msaltest.Server).Decline, "authorization_declined", msal.ErrAccessDenied},
		"expired":  {(*msaltest.Server).ExpireDeviceCode, "expired_token", msal.ErrExpired},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			device, err := w.publicAlone().AcquireTokenByDeviceCode(t.Context(), scopes)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.do(w.srv, device.Result.UserCode); err != nil {
				t.Fatal(err)
			}
			_, err = device.AuthenticationResult(t.Context())
			if call, ok := errors.AsType[msalerrors.CallErr](err); ok {
				if body, err := io.ReadAll(call.Resp.Body); len(body) > 0 {
					t.Errorf("MSAL leaves the body by now: %s, %v", body, err)
				}
			}
			got, ok := errors.AsType[*msal.Error](msal.FromMSAL(err))
			if !ok || got.Code != c.code || got.Description == "" || !errors.Is(got, c.is) || got.Grant != "device_code" {
				t.Errorf("got %v", msal.FromMSAL(err))
			}
		})
	}
}

func TestFromMSALLeavesOtherErrors(t *testing.T) {
	t.Parallel()
	other := errors.New("no token found")
	for _, err := range []error{nil, other, context.Canceled, fmt.Errorf("x: %w", context.DeadlineExceeded)} {
		if got := msal.FromMSAL(err); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
	if got := msal.FromMSAL(msalerrors.CallErr{}); got == nil || got.Error() == "" {
		t.Error("an empty error of MSAL's")
	}
	declined := errors.New("token response failed because declined scopes are present: Mail.Send")
	if got := msal.FromMSAL(declined); !errors.Is(got, msal.ErrInvalidScope) || !strings.Contains(got.Error(), "Mail.Send") {
		t.Error(got)
	}
}

func TestErrorOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   *msal.Error
	}{
		{"success", 200, `{"error":"invalid_grant"}`, nil},
		{"refused", 400, `{"error":"invalid_grant"}`, &msal.Error{Code: "invalid_grant", Status: 400}},
		{"an empty body", 500, "", &msal.Error{Status: 500}},
		{"not an object", 400, `[1]`, &msal.Error{Status: 400}},
		{"null", 400, `null`, &msal.Error{Status: 400}},
		{"without an end", 400, `{"error":"` + strings.Repeat("a ", 1<<18), &msal.Error{Status: 400}},
		{"a long code", 400, `{"error":"` + strings.Repeat("a ", 500) + `"}`, &msal.Error{Code: strings.Repeat("a ", 128), Status: 400}},
		{"many numbers", 400, `{"error":"x","error_codes":[` + strings.Repeat("1,", 99) + `1]}`, &msal.Error{Code: "x", Status: 400, Codes: []int{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}}},
		{"claims that aren't JSON", 400, `{"error":"x","claims":"{"}`, &msal.Error{Code: "x", Status: 400}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := msal.ErrorOf(answer(c.status, c.body)())
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// endless is a body that never ends.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	return len(p), nil
}

func TestErrorOfReadsNoMoreThanItHasTo(t *testing.T) {
	t.Parallel()
	body := &endless{}
	if got := msal.ErrorOf(&http.Response{StatusCode: 400, Body: io.NopCloser(body)}); got.Code != "" || body.read > 1<<20 {
		t.Errorf("%v after %d bytes", got, body.read)
	}
}

func FuzzErrorOf(f *testing.F) {
	for _, seed := range []string{usedToken, "", "{}", `{"error":1}`, `{"error":"a","error_codes":[1e99]}`, "{\"error\":\"\xff\x00\n\"}"} {
		f.Add(400, seed)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		e := msal.ErrorOf(answer(status, body)())
		if (e == nil) != (status < 400) {
			t.Fatalf("status %d: %v", status, e)
		}
		if e != nil && (strings.ContainsAny(e.Error(), "\r\n\x1b") || len(e.Error()) > 3<<10) {
			t.Errorf("%q", e.Error())
		}
	})
}

func ExampleFromMSAL() {
	entra := msaltest.New(nil)
	defer entra.Close()
	client, err := public.New("client", public.WithAuthority(entra.Authority()), public.WithHTTPClient(entra.Client()), public.WithInstanceDiscovery(false))
	if err != nil {
		fmt.Println(err)
		return
	}
	entra.Fail(msaltest.KindToken, msaltest.Failure{Code: "interaction_required", Codes: []int{50076}, Description: "Use a second factor."})
	_, err = byPassword(context.Background(), client, alice)
	err = msal.FromMSAL(err)
	if e, ok := errors.AsType[*msal.Error](err); ok && errors.Is(err, msal.ErrInteractionRequired) {
		fmt.Println("open the browser:", e.Code, e.Codes)
	}
	// Output: open the browser: interaction_required [50076]
}
