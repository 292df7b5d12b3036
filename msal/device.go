package msal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

// DeviceFlow is a sign-in that waits for a person at another device (RFC 8628):
// [BeginDevice] made it, and Complete ends it, perhaps in another process. Show
// the person Message, or UserCode and VerificationURI. It keeps as JSON, whose
// members are those of the flow of MSAL Python's initiate_device_flow and some
// more.
//
// DeviceCode is a secret, which String and LogValue don't show.
type DeviceFlow struct {
	UserCode        string
	DeviceCode      string
	VerificationURI string
	Message         string
	ExpiresAt       time.Time
	Interval        time.Duration // the least time between two polls
	LatestPoll      time.Time     // zero before the first
	Scopes          []string
	Claims          string // those of a claims challenge, as JSON; may be empty
}

type deviceFlowJSON struct {
	UserCode        string   `json:"user_code"`
	DeviceCode      string   `json:"device_code"`
	VerificationURI string   `json:"verification_uri"`
	Message         string   `json:"message"`
	ExpiresAt       float64  `json:"expires_at"` // as in Python, seconds since 1970
	Interval        float64  `json:"interval"`   // seconds
	LatestPoll      float64  `json:"latest_attempt_at,omitempty"`
	Scopes          []string `json:"scope,omitempty"`
	Claims          string   `json:"claims_challenge,omitempty"`
}

// MarshalJSON writes the flow with its secret.
func (f DeviceFlow) MarshalJSON() ([]byte, error) {
	return json.Marshal(deviceFlowJSON{
		UserCode: f.UserCode, DeviceCode: f.DeviceCode, VerificationURI: f.VerificationURI, Message: f.Message,
		ExpiresAt: epoch(f.ExpiresAt), Interval: f.Interval.Seconds(), LatestPoll: epoch(f.LatestPoll), Scopes: f.Scopes, Claims: f.Claims,
	})
}

// UnmarshalJSON reads what MarshalJSON wrote. A time or an interval that no
// clock holds is [ErrFlow].
func (f *DeviceFlow) UnmarshalJSON(data []byte) error {
	var j deviceFlowJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	const year10000 = 253402300800
	for _, n := range []float64{j.ExpiresAt, j.LatestPoll, j.Interval} {
		if n < 0 || n >= year10000 {
			return fmt.Errorf("msalext: reading a device code flow: a time out of range: %w", ErrFlow)
		}
	}
	*f = DeviceFlow{
		UserCode: j.UserCode, DeviceCode: j.DeviceCode, VerificationURI: j.VerificationURI, Message: j.Message,
		ExpiresAt: fromEpoch(j.ExpiresAt), Interval: time.Duration(min(j.Interval, 3600) * float64(time.Second)),
		LatestPoll: fromEpoch(j.LatestPoll), Scopes: j.Scopes, Claims: j.Claims,
	}
	return nil
}

func epoch(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

func fromEpoch(seconds float64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(math.Round(seconds * 1000)))
}

// String names the address alone.
func (f DeviceFlow) String() string { return "device code flow at " + strconv.Quote(f.VerificationURI) }

// GoString is String, for %#v.
func (f DeviceFlow) GoString() string { return f.String() }

// LogValue shows what isn't a secret.
func (f DeviceFlow) LogValue() slog.Value {
	return slog.GroupValue(slog.String("verification_uri", f.VerificationURI), slog.Time("expires_at", f.ExpiresAt), slog.Duration("interval", f.Interval))
}

// BeginDevice asks the provider for a device code (RFC 8628 §3.1). Claims are
// those of a claims challenge, as JSON, or empty. It stands for MSAL Python's
// initiate_device_flow, whose flow doesn't have the scopes: set Scopes before
// completing one of Python's. A refusal is an [*Error].
func BeginDevice(ctx context.Context, client public.Client, scopes []string, claims string) (DeviceFlow, error) {
	code, err := client.AcquireTokenByDeviceCode(ctx, scopes, deviceOptions(claims)...)
	if err != nil {
		return DeviceFlow{}, FromMSAL(err)
	}
	r := code.Result
	return DeviceFlow{
		UserCode: r.UserCode, DeviceCode: r.DeviceCode, VerificationURI: r.VerificationURL, Message: r.Message,
		ExpiresAt: r.ExpiresOn, Interval: time.Duration(min(max(r.Interval, 0), 3600)) * time.Second, Scopes: scopes, Claims: claims,
	}, nil
}

func deviceOptions(claims string) []public.AcquireByDeviceCodeOption {
	if claims == "" {
		return nil
	}
	return []public.AcquireByDeviceCodeOption{public.WithClaims(claims)}
}

// Complete polls until the person has signed in, and returns the tokens, which
// MSAL stores in the client's cache. The client has to be one for the same
// application whose HTTP client is [DeviceNetwork]. It stands for MSAL Python's
// acquire_token_by_device_flow.
//
// Polls are at least the flow's interval apart, 5 s where the server named none,
// and 5 s more after each slow_down (RFC 8628 §3.5); MSAL alone polls faster
// than the server allows. After each poll without a result waiting is called
// with the flow as it is now, for a program that wants to save it or to show
// something; an error of its ends the polling, and is what Complete returns.
// Nil waiting is none. The polling ends with ctx too.
//
// Errors are [*Error]s with the server's text: [ErrAccessDenied] where the
// person declined, [ErrExpired] where it took too long, also when it is found
// out here. [ErrFlow] means a flow that was never begun, or a client without
// DeviceNetwork.
func (f DeviceFlow) Complete(ctx context.Context, client public.Client, waiting func(DeviceFlow) error) (public.AuthResult, error) {
	left := time.Until(f.ExpiresAt).Truncate(time.Second)
	if f.DeviceCode == "" || len(f.Scopes) == 0 {
		return public.AuthResult{}, fmt.Errorf("msalext: completing a device code flow: it has no code or no scopes: %w", ErrFlow)
	}
	if left <= 0 {
		return public.AuthResult{}, f.tooLate()
	}
	p := &polling{flow: f, left: left, waiting: waiting}
	result, err := p.run(context.WithValue(ctx, pollingKey{}, p), client)
	switch {
	case err == nil:
		return result, nil
	case p.aborted != nil:
		return public.AuthResult{}, p.aborted
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
		return public.AuthResult{}, f.tooLate() // MSAL's own deadline, which is the code's
	}
	return public.AuthResult{}, FromMSAL(err)
}

func (f DeviceFlow) tooLate() *Error {
	return &Error{Code: "expired_token", Grant: "device_code", Description: "the code was valid until " + stamp(f.ExpiresAt) + "; begin a new sign-in"}
}
