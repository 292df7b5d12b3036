package msal_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/msal"
)

// script is a provider on a clock that a test moves: what it says to each poll,
// and when it was polled.
type script struct {
	answers  []string // the last one again and again; "" is a token
	interval int
	expires  int
	began    time.Time
	at       []time.Duration
}

func (*script) CloseIdleConnections() {}

func (s *script) Do(req *http.Request) (*http.Response, error) {
	say := func(status int, body string) (*http.Response, error) {
		return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{}, Request: req}, nil
	}
	if req.Method == http.MethodGet {
		return say(200, `{"authorization_endpoint":"https://login.example/t/authorize","token_endpoint":"https://login.example/t/token","issuer":"https://login.example/t/v2.0"}`)
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	if !form.Has("grant_type") {
		s.began = time.Now()
		return say(200, fmt.Sprintf(`{"user_code":"U","device_code":"dc-secret","verification_uri":"https://login.example/","interval":%d,"expires_in":%d,"message":"m"}`, s.interval, s.expires))
	}
	s.at = append(s.at, time.Since(s.began))
	if a := s.answers[min(len(s.at), len(s.answers))-1]; a != "" {
		return say(400, `{"error":"`+a+`"}`)
	}
	return say(200, `{"token_type":"Bearer","access_token":"at","expires_in":3600,"id_token":"`+idToken(nil)+`"}`)
}

func (s *script) begin(t *testing.T) (public.Client, msal.DeviceFlow) {
	t.Helper()
	client, err := public.New("app", public.WithAuthority("https://login.example/t"), public.WithHTTPClient(msal.DeviceNetwork(s)), public.WithInstanceDiscovery(false))
	if err != nil {
		t.Fatal(err)
	}
	flow, err := msal.BeginDevice(t.Context(), client, scopes, "")
	if err != nil {
		t.Fatal(err)
	}
	return client, flow
}

func TestDeviceFlowKeepsThePace(t *testing.T) {
	t.Parallel()
	const pending, slow = "authorization_pending", "slow_down"
	for _, c := range []struct {
		name              string
		interval, expires int
		answers           []string
		at                []int // seconds, from the first poll
		want              error
	}{
		{"as the server says", 7, 900, []string{pending, pending, pending, ""}, []int{0, 7, 14, 21}, nil},
		{"slower and slower", 2, 900, []string{slow, pending, slow, ""}, []int{0, 7, 14, 26}, nil},
		{"5 s where it says nothing", 0, 900, []string{pending, pending, ""}, []int{0, 5, 10}, nil},
		{"5 s where it says less than nothing", -9, 900, []string{pending, ""}, []int{0, 5}, nil},
		{"until it expires", 7, 20, []string{pending}, []int{0, 7, 14}, msal.ErrExpired},
		{"another error ends it", 7, 900, []string{pending, "access_denied"}, []int{0, 7}, msal.ErrAccessDenied},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: c.answers, interval: c.interval, expires: c.expires}
				client, flow := s.begin(t)
				_, err := flow.Complete(t.Context(), client, nil)
				if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
					t.Errorf("%v, want %v", err, c.want)
				}
				var at []int
				for _, d := range s.at {
					at = append(at, int((d-s.at[0]).Round(time.Second)/time.Second))
				}
				if !slices.Equal(at, c.at) || s.at[0] > time.Second {
					t.Errorf("polled at %v, want %v", s.at, c.at)
				}
			})
		})
	}
}

// TestDeviceFlowGoesOnAtThePace: the flow that was saved last remembers the poll
// and the pace.
func TestDeviceFlowGoesOnAtThePace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []string{"slow_down", ""}, interval: 3, expires: 900}
		client, flow := s.begin(t)
		killed := errors.New("killed")
		var saved []byte
		_, err := flow.Complete(t.Context(), client, func(f msal.DeviceFlow) error {
			saved, _ = json.Marshal(f)
			return killed
		})
		if err != killed {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second) // another process starts
		var later msal.DeviceFlow
		if err := json.Unmarshal(saved, &later); err != nil {
			t.Fatal(err)
		}
		if _, err := later.Complete(t.Context(), client, nil); err != nil {
			t.Fatal(err)
		}
		if pause := s.at[1] - s.at[0]; pause < 8*time.Second-2*time.Millisecond || pause > 9*time.Second {
			t.Errorf("%s between the polls, want 8 s", pause)
		}
	})
}

func TestDeviceFlowEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []string{"authorization_pending"}, interval: 5, expires: 900}
		client, flow := s.begin(t)
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		if _, err := flow.Complete(ctx, client, nil); !errors.Is(err, context.DeadlineExceeded) || len(s.at) != 2 {
			t.Errorf("%v after %d polls", err, len(s.at))
		}
		ctx, cancel = context.WithCancel(t.Context())
		_, err := flow.Complete(ctx, client, func(msal.DeviceFlow) error { cancel(); return nil })
		if !errors.Is(err, context.Canceled) || len(s.at) != 3 {
			t.Errorf("%v after %d polls", err, len(s.at))
		}
	})
}
