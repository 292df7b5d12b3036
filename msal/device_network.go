package msal

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

// DeviceNetwork returns what the WithHTTPClient option of MSAL's public client
// takes, so that [DeviceFlow.Complete] can go on with a flow that another
// process began, and at the pace that the server asks for. Requests of
// everything else pass to base as they are. Nil base means http.DefaultClient.
// It can be the base of [HTTPClient], or have that as its own. The result is
// safe for concurrent use as far as base is.
func DeviceNetwork(base Doer) Doer {
	if base == nil {
		base = http.DefaultClient
	}
	return &deviceNetwork{base}
}

type deviceNetwork struct{ Doer }

// Do answers for the server where the flow knows the answer, and holds polls
// back.
func (n *deviceNetwork) Do(req *http.Request) (*http.Response, error) {
	p, ok := req.Context().Value(pollingKey{}).(*polling)
	if !ok || req.Method != http.MethodPost {
		return n.Doer.Do(req)
	}
	form := sentForm(req)
	switch {
	case form.Get("grant_type") == "device_code" && form.Get("device_code") == p.flow.DeviceCode:
		return p.poll(req, n.Doer)
	case !form.Has("grant_type") && form.Has("client_id"):
		return p.begun(req)
	}
	return n.Doer.Do(req)
}

type pollingKey struct{}

// polling is one call of Complete. One goroutine uses it at a time: MSAL's
// requests follow one another.
type polling struct {
	flow    DeviceFlow
	left    time.Duration // until the code expires, in whole seconds
	waiting func(DeviceFlow) error
	resumed bool  // MSAL was given the flow
	aborted error // what waiting returned
}

func (p *polling) run(ctx context.Context, client public.Client) (public.AuthResult, error) {
	code, err := client.AcquireTokenByDeviceCode(ctx, p.flow.Scopes, deviceOptions(p.flow.Claims)...)
	if err != nil {
		return public.AuthResult{}, err
	}
	if !p.resumed {
		return public.AuthResult{}, fmt.Errorf("msalext: completing a device code flow: the client's HTTP client isn't msal.DeviceNetwork: %w", ErrFlow)
	}
	return code.AuthenticationResult(ctx)
}

// begun answers MSAL's request for a new code with the one there is.
func (p *polling) begun(req *http.Request) (*http.Response, error) {
	p.resumed = true
	body, err := json.Marshal(map[string]any{
		"user_code": p.flow.UserCode, "device_code": p.flow.DeviceCode, "verification_uri": p.flow.VerificationURI, "message": p.flow.Message,
		"interval": int(p.flow.Interval / time.Second), "expires_in": int(p.left / time.Second),
	})
	if err != nil {
		return nil, err
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}, nil
}

// defaultInterval is what RFC 8628 §3.2 demands where the server names none,
// and by how much §3.5 demands to slow down.
const defaultInterval = 5 * time.Second

// poll sends a poll when it is time, and looks at the answer.
func (p *polling) poll(req *http.Request, network Doer) (*http.Response, error) {
	if p.flow.Interval <= 0 {
		p.flow.Interval = defaultInterval
	}
	// A clock that was set back must not make anybody wait for longer.
	wait := min(time.Until(p.flow.LatestPoll.Add(p.flow.Interval)), p.flow.Interval)
	if err := sleep(req, max(wait, 0)); err != nil {
		return nil, err
	}
	resp, err := network.Do(req)
	// Counted from the answer: a poll may have taken longer to arrive than the next one will.
	p.flow.LatestPoll = time.Now()
	if err != nil || resp.StatusCode != http.StatusBadRequest || resp.Body == nil {
		return resp, err
	}
	body, rest := leading(resp.Body)
	resp.Body = rest
	switch parseError(body, nil).Code {
	case "slow_down":
		p.flow.Interval += defaultInterval
	case "authorization_pending":
	default:
		return resp, nil
	}
	if p.waiting != nil {
		p.aborted = p.waiting(p.flow)
	}
	if p.aborted != nil {
		_ = resp.Body.Close() // nobody reads it
		return nil, p.aborted
	}
	return resp, nil
}
