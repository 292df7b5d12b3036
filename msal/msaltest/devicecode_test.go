package msaltest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/msal/msaltest"
)

func startDevice(t *testing.T, client public.Client) public.DeviceCode {
	t.Helper()
	code, err := client.AcquireTokenByDeviceCode(deadline(t), scopes)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func pollErrors(srv *msaltest.Server) []string {
	var codes []string
	for _, r := range srv.Requests(msaltest.KindTokenDevice) {
		codes = append(codes, r.Error)
	}
	return codes
}

func TestDeviceCodePendingThenSlowDownThenToken(t *testing.T) {
	t.Parallel()
	srv := start(t, &msaltest.Options{Pending: 2, SlowDown: 1, Approver: alice})
	client := newPublic(t, srv)
	code := startDevice(t, client)
	if code.Result.Interval != 1 || code.Result.UserCode == "" || code.Result.Message == "" {
		t.Errorf("device code is %+v, want interval 1, a user code and a message", code.Result)
	}
	result, err := code.AuthenticationResult(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	if result.Account.PreferredUsername != alice || result.Account.HomeAccountID != msaltest.HomeAccountID(alice) {
		t.Errorf("signed in as %+v, want %s, %s", result.Account, alice, msaltest.HomeAccountID(alice))
	}
	got, want := pollErrors(srv), []string{"authorization_pending", "authorization_pending", "slow_down", ""}
	if len(got) != len(want) {
		t.Fatalf("polls were answered %q, want %q", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("poll %d was answered %q, want %q", i+1, got[i], want[i])
		}
	}
	wantCounts(t, srv, map[msaltest.Kind]int{msaltest.KindDevice: 1, msaltest.KindToken: 4})
}

func TestDeviceCodeWaitsForApproval(t *testing.T) {
	t.Parallel()
	srv := start(t, nil)
	code := startDevice(t, newPublic(t, srv))
	type outcome struct {
		result public.AuthResult
		err    error
	}
	ctx, done := deadline(t), make(chan outcome, 1)
	go func() {
		result, err := code.AuthenticationResult(ctx)
		done <- outcome{result, err}
	}()
	// The second poll comes only after the first was answered "pending".
	if err := srv.Await(ctx, msaltest.KindTokenDevice, 2); err != nil {
		t.Fatal(err)
	}
	if err := srv.Approve(code.Result.UserCode, "Bob@Fabrikam.example"); err != nil {
		t.Fatal(err)
	}
	got := <-done
	if got.err != nil || got.result.Account.PreferredUsername != "bob@fabrikam.example" {
		t.Errorf("signed in as %q, %v, want bob@fabrikam.example", got.result.Account.PreferredUsername, got.err)
	}
	if first := pollErrors(srv)[0]; first != "authorization_pending" {
		t.Errorf("the first poll was answered %q", first)
	}
	if err := srv.Approve(code.Result.UserCode, alice); err == nil {
		t.Error("a used code was approved again")
	}
}

func TestDeviceCodeEndsWithoutToken(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		end  func(*msaltest.Server, string) error
		want string
	}{
		{"declined", (*msaltest.Server).Decline, "authorization_declined"},
		{"expired", (*msaltest.Server).ExpireDeviceCode, "expired_token"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := start(t, nil)
			code := startDevice(t, newPublic(t, srv))
			if err := tt.end(srv, code.Result.UserCode); err != nil {
				t.Fatal(err)
			}
			_, err := code.AuthenticationResult(deadline(t))
			wantRefusal(t, err, "400", tt.want)
			if got := pollErrors(srv); len(got) != 1 || got[0] != tt.want {
				t.Errorf("polls were answered %q, want only %q", got, tt.want)
			}
		})
	}
}

func TestDeviceCodeLifetimeReachesTheClient(t *testing.T) {
	t.Parallel()
	srv := start(t, &msaltest.Options{DeviceCodeLifetime: time.Millisecond, DeviceCodeInterval: time.Millisecond})
	code := startDevice(t, newPublic(t, srv))
	if code.Result.Interval != 0 {
		t.Errorf("interval is %d, want 0", code.Result.Interval)
	}
	if _, err := code.AuthenticationResult(deadline(t)); err == nil {
		t.Error("a token was issued for an expired code")
	}
	if err := srv.Approve(code.Result.UserCode, alice); err == nil {
		t.Error("an expired code was approved")
	}
}

func TestDeviceCodeAbandoned(t *testing.T) {
	t.Parallel()
	srv := start(t, nil)
	code := startDevice(t, newPublic(t, srv))
	ctx, cancel := context.WithCancel(deadline(t))
	done := make(chan error, 1)
	go func() {
		_, err := code.AuthenticationResult(ctx)
		done <- err
	}()
	if err := srv.Await(t.Context(), msaltest.KindTokenDevice, 1); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want %v", err, context.Canceled)
	}
}

func TestPeopleMistypeCodes(t *testing.T) {
	t.Parallel()
	srv := start(t, nil)
	code := startDevice(t, newPublic(t, srv))
	tests := []struct {
		name string
		do   func() error
	}{
		{"approve unknown code", func() error { return srv.Approve("NOSUCHCOD", alice) }},
		{"approve empty code", func() error { return srv.Approve("", alice) }},
		{"decline unknown code", func() error { return srv.Decline("NOSUCHCOD") }},
		{"expire unknown code", func() error { return srv.ExpireDeviceCode("NOSUCHCOD") }},
		{"approve as nobody", func() error { return srv.Approve(code.Result.UserCode, "nobody") }},
	}
	for _, tt := range tests {
		if err := tt.do(); err == nil {
			t.Errorf("%s: no error", tt.name)
		}
	}
}
