package msaltest

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

type deviceState int

const (
	deviceWaiting deviceState = iota
	deviceApproved
	deviceDeclined
	deviceRedeemed
)

// deviceCode is one sign-in that waits for a person, or is done.
type deviceCode struct {
	userCode string
	clientID string
	scope    string
	expires  time.Time
	pending  int // polls still to be answered authorization_pending
	slowDown int // polls still to be answered slow_down, after that
	state    deviceState
	username string // who approved
}

type deviceCodeJSON struct {
	UserCode        string `json:"user_code"`
	DeviceCode      string `json:"device_code"`
	VerificationURI string `json:"verification_uri"`
	ExpiresIn       int    `json:"expires_in"`
	Interval        int    `json:"interval"`
	Message         string `json:"message"`
}

// startDevice answers the request that begins the flow (RFC 8628 §3.2).
func (s *Server) startDevice(r *http.Request) (any, *Failure) {
	if r.Form.Get("client_id") == "" {
		return nil, missingParameter("client_id")
	}
	if _, exists := s.user(s.opts.Approver); s.opts.Approver != "" && !exists {
		return nil, newFailure("invalid_request", 50034, "Options.Approver doesn't exist: a name needs an @ or AddUser.")
	}
	code := s.secret("device-code")
	device := &deviceCode{
		userCode: rand.Text()[:9],
		clientID: r.Form.Get("client_id"),
		scope:    r.Form.Get("scope"),
		expires:  time.Now().Add(s.opts.DeviceCodeLifetime),
		pending:  s.opts.Pending,
		slowDown: s.opts.SlowDown,
	}
	if s.opts.Approver != "" {
		device.approve(s.opts.Approver)
	}
	s.devices[code] = device
	page := baseURL(r) + devicePath
	return deviceCodeJSON{
		UserCode:        device.userCode,
		DeviceCode:      code,
		VerificationURI: page,
		ExpiresIn:       wholeSeconds(s.opts.DeviceCodeLifetime),
		Interval:        int(s.opts.DeviceCodeInterval / time.Second),
		Message:         fmt.Sprintf("To sign in, open %s and enter the code %s.", page, device.userCode),
	}, nil
}

// Approve signs a user in with a user code, as a person would in a browser.
// The code's polls that [Options.Pending] and [Options.SlowDown] ask for are
// still answered so. It fails when no such code is waiting, or no such user
// exists.
func (s *Server) Approve(userCode, username string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, exists := s.user(username); !exists {
		return fmt.Errorf("approving a device code: no user %q: a name needs an @ or AddUser", username)
	}
	device, err := s.waitingDevice(userCode)
	if err != nil {
		return fmt.Errorf("approving a device code: %w", err)
	}
	device.approve(username)
	return nil
}

// Decline refuses a sign-in, as a person would in a browser: once the polls
// that [Options] ask for are answered, the client gets authorization_declined.
// It fails when no such code is waiting.
func (s *Server) Decline(userCode string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	device, err := s.waitingDevice(userCode)
	if err != nil {
		return fmt.Errorf("declining a device code: %w", err)
	}
	device.state = deviceDeclined
	return nil
}

// ExpireDeviceCode ends a code's lifetime now: its next poll is answered
// expired_token, whatever was to come before. It fails when no such code is
// waiting.
func (s *Server) ExpireDeviceCode(userCode string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	device, err := s.waitingDevice(userCode)
	if err != nil {
		return fmt.Errorf("expiring a device code: %w", err)
	}
	device.expires = time.Now()
	return nil
}

// waitingDevice finds what a person's code stands for. People type codes in
// any case. An approval can be replaced until the client has its tokens.
func (s *Server) waitingDevice(userCode string) (*deviceCode, error) {
	for _, device := range s.devices {
		if !strings.EqualFold(device.userCode, userCode) {
			continue
		}
		if device.state == deviceRedeemed || device.expired() {
			return nil, fmt.Errorf("the code %q has been used or is too old", userCode)
		}
		return device, nil
	}
	return nil, fmt.Errorf("no code %q was issued", userCode)
}

func (d *deviceCode) approve(username string) {
	d.state, d.username = deviceApproved, strings.ToLower(username)
}

func (d *deviceCode) expired() bool { return !time.Now().Before(d.expires) }

// redeemDevice answers one poll (RFC 8628 §3.5).
func (s *Server) redeemDevice(form url.Values, to grant) (*tokenJSON, *Failure) {
	device, known := s.devices[form.Get("device_code")]
	if !known || device.clientID != to.clientID {
		return nil, newFailure("bad_verification_code", 70018, "The device code isn't valid.")
	}
	if failure := device.poll(); failure != nil {
		return nil, failure
	}
	device.state = deviceRedeemed
	to.username, to.scope = device.username, device.scope
	return s.issue(to), nil
}

// poll counts one poll, and says why there is no token yet, or never will be.
func (d *deviceCode) poll() *Failure {
	switch {
	case d.state == deviceRedeemed:
		return invalidGrant(54005, "", "The device code was already redeemed.")
	case d.expired():
		return newFailure("expired_token", 70019, "The device code has expired. Start the sign-in again.")
	case d.pending > 0:
		d.pending--
		return authorizationPending()
	case d.slowDown > 0:
		d.slowDown--
		return &Failure{Code: "slow_down", Description: "The client polls too often."}
	case d.state == deviceWaiting:
		return authorizationPending()
	case d.state == deviceDeclined:
		return newFailure("authorization_declined", 65004, "The user declined to sign in.")
	}
	return nil
}

func authorizationPending() *Failure {
	return newFailure("authorization_pending", 70016, "The user hasn't finished signing in yet. Continue polling.")
}
