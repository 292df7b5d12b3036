package msal_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// deviceClient is a client as another process would make it.
func (w *world) deviceClient(network msal.Doer) public.Client {
	w.Helper()
	client, err := public.New("app", public.WithAuthority(w.srv.Authority()), public.WithHTTPClient(network), public.WithInstanceDiscovery(false))
	if err != nil {
		w.Fatal(err)
	}
	return client
}

func TestDeviceFlowInAnotherProcess(t *testing.T) {
	t.Parallel()
	w := newWorld(t, &msaltest.Options{Pending: 1})
	first := w.deviceClient(w.srv.Client()) // need not be special
	flow, err := msal.BeginDevice(t.Context(), first, scopes, `{"x":null}`)
	if err != nil {
		t.Fatal(err)
	}
	if flow.UserCode == "" || flow.Message == "" || flow.Interval != time.Second || time.Until(flow.ExpiresAt) < 14*time.Minute {
		t.Errorf("began %#v", flow)
	}
	text, err := json.Marshal(flow)
	if err != nil {
		t.Fatal(err)
	}
	var later msal.DeviceFlow
	if err := json.Unmarshal(text, &later); err != nil {
		t.Fatal(err)
	}
	if err := w.srv.Approve(later.UserCode, alice); err != nil {
		t.Fatal(err)
	}
	client := w.deviceClient(msal.DeviceNetwork(w.srv.Client()))
	result, err := later.Complete(t.Context(), client, nil)
	if err != nil || result.Account.PreferredUsername != alice {
		t.Fatalf("%v, %v", result.Account, err)
	}
	if names(t, client) != alice {
		t.Error("MSAL has not stored it")
	}
	if n := w.srv.Count(msaltest.KindDevice); n != 1 {
		t.Errorf("%d codes were asked for", n)
	}
	polls := w.srv.Requests(msaltest.KindTokenDevice)
	if len(polls) != 2 || polls[1].Time.Sub(polls[0].Time) < time.Second || polls[0].Form.Get("claims") != `{"x":null}` {
		t.Errorf("polls are %v", polls)
	}
}

func TestDeviceFlowRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do   func(*msaltest.Server, string) error
		want error
	}{
		"declined": {(*msaltest.Server).Decline, msal.ErrAccessDenied},
		"expired":  {(*msaltest.Server).ExpireDeviceCode, msal.ErrExpired},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			client := w.deviceClient(msal.DeviceNetwork(w.srv.Client()))
			flow, err := msal.BeginDevice(t.Context(), client, scopes, "")
			if err != nil {
				t.Fatal(err)
			}
			if err := c.do(w.srv, flow.UserCode); err != nil {
				t.Fatal(err)
			}
			_, err = flow.Complete(t.Context(), client, nil)
			if e, ok := errors.AsType[*msal.Error](err); !ok || !errors.Is(err, c.want) || e.CorrelationID == "" || !strings.Contains(e.Description, "AADSTS") {
				t.Errorf("%v", err)
			}
			wantNoSecrets(t, err, flow.DeviceCode)
		})
	}
}

func TestDeviceFlowNotUsable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	client := w.deviceClient(msal.DeviceNetwork(w.srv.Client()))
	flow, err := msal.BeginDevice(t.Context(), client, scopes, "")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		flow   msal.DeviceFlow
		client public.Client
		want   error
	}{
		"no flow":         {msal.DeviceFlow{}, client, msal.ErrFlow},
		"no scopes":       {msal.DeviceFlow{DeviceCode: "x", ExpiresAt: flow.ExpiresAt}, client, msal.ErrFlow},
		"too late":        {msal.DeviceFlow{DeviceCode: "x", Scopes: scopes, ExpiresAt: time.Now()}, client, msal.ErrExpired},
		"a plain network": {flow, w.deviceClient(w.srv.Client()), msal.ErrFlow},
		"a foreign code":  {msal.DeviceFlow{DeviceCode: "x", Scopes: scopes, ExpiresAt: flow.ExpiresAt}, client, nil},
	} {
		_, err := c.flow.Complete(t.Context(), c.client, nil)
		if e, ok := errors.AsType[*msal.Error](err); c.want == nil && (!ok || e.Code != "bad_verification_code") || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = msal.BeginDevice(t.Context(), client, nil, "")
	if err == nil {
		t.Error("began without scopes")
	}
	w.srv.Fail(msaltest.KindDevice, msaltest.Failure{Code: "invalid_client"})
	if _, err = msal.BeginDevice(t.Context(), client, scopes, ""); !errors.Is(err, msal.ErrInvalidClient) {
		t.Error(err)
	}
}

func TestDeviceFlowJSON(t *testing.T) {
	t.Parallel()
	var flow msal.DeviceFlow // as MSAL Python 1.39 has it
	const python = `{"user_code": "ABC", "device_code": "dc", "verification_uri": "https://microsoft.com/devicelogin", "expires_in": 900, "interval": 5,
		"message": "m", "expires_at": 1780315200.25, "latest_attempt_at": 1780315000.5, "_correlation_id": "x"}`
	if err := json.Unmarshal([]byte(python), &flow); err != nil {
		t.Fatal(err)
	}
	want := msal.DeviceFlow{
		UserCode: "ABC", DeviceCode: "dc", VerificationURI: "https://microsoft.com/devicelogin", Message: "m", Interval: 5 * time.Second,
		ExpiresAt: time.UnixMilli(1780315200250), LatestPoll: time.UnixMilli(1780315000500),
	}
	if diff := cmp.Diff(want, flow); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{`{"expires_at":1e300}`, `{"expires_at":-1}`, `{"interval":-5}`, `{"latest_attempt_at":1e15}`, `{"expires_at":"x"}`, `[]`} {
		if err := json.Unmarshal([]byte(bad), &flow); err == nil {
			t.Errorf("took %s", bad)
		}
	}
	if text := fmt.Sprintf("%v %+v %#v %v", flow, &flow, flow, flow.LogValue()); strings.Contains(text, "dc") || strings.Contains(text, "ABC") {
		t.Error(text)
	}
}

// A program shows a code, and can be started anew while the person looks for
// the other device.
func ExampleBeginDevice() {
	entra := msaltest.New(&msaltest.Options{Approver: "alice@contoso.example", Pending: 1})
	defer entra.Close()
	client, err := public.New("app", public.WithAuthority(entra.Authority()),
		public.WithHTTPClient(msal.DeviceNetwork(entra.Client())), public.WithInstanceDiscovery(false))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	flow, err := msal.BeginDevice(ctx, client, []string{"User.Read"}, "")
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := flow.Complete(ctx, client, func(f msal.DeviceFlow) error {
		fmt.Println("waiting, polling every", f.Interval)
		return nil
	})
	fmt.Println(result.Account.PreferredUsername, err)
	// Output:
	// waiting, polling every 1s
	// alice@contoso.example <nil>
}
