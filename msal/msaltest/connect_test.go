package msaltest_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/msal/msaltest"
)

// childEnv makes the test binary a second process that signs in at the fake
// of the first; its value is the user.
const childEnv = "MSALTEST_TEST_CHILD"

func childMain() int {
	if err := childSignIn(context.Background(), os.Getenv(childEnv)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// childSignIn signs in by device code, approves it over HTTP, and prints the
// account and the number of polls.
func childSignIn(ctx context.Context, username string) error {
	fake, err := msaltest.ConnectEnv()
	if err != nil {
		return err
	}
	client, err := public.New(clientID, public.WithAuthority(fake.Authority()),
		public.WithHTTPClient(fake.Client()), public.WithInstanceDiscovery(false))
	if err != nil {
		return err
	}
	code, err := client.AcquireTokenByDeviceCode(ctx, scopes)
	if err != nil {
		return err
	}
	if err := fake.Approve(ctx, code.Result.UserCode, username); err != nil {
		return err
	}
	result, err := code.AuthenticationResult(ctx)
	if err != nil {
		return err
	}
	polls, err := fake.Count(ctx, msaltest.KindTokenDevice)
	fmt.Println(result.Account.HomeAccountID, polls)
	return err
}

func TestTwoProcessesShareOneFake(t *testing.T) {
	t.Parallel()
	srv := start(t, nil)
	for i, username := range []string{alice, "bob@contoso.example"} {
		child := exec.CommandContext(deadline(t), os.Args[0])
		child.Env = append(os.Environ(), append(srv.Env(), childEnv+"="+username)...)
		child.Stderr = t.Output()
		out, err := child.Output()
		if err != nil {
			t.Fatal(err)
		}
		if got, want := strings.TrimSpace(string(out)), fmt.Sprint(msaltest.HomeAccountID(username), " ", i+1); got != want {
			t.Errorf("the child printed %q, want %q", got, want)
		}
	}
	wantCounts(t, srv, map[msaltest.Kind]int{msaltest.KindDevice: 2, msaltest.KindTokenDevice: 2})
}

func TestRemoteReportsRefusals(t *testing.T) {
	t.Parallel()
	srv := start(t, nil)
	remote, err := msaltest.Connect(srv.Authority(), srv.CertificatePEM())
	if err != nil {
		t.Fatal(err)
	}
	ctx := deadline(t)
	if err := remote.Approve(ctx, "NOSUCHCOD", alice); err == nil || !strings.Contains(err.Error(), "NOSUCHCOD") {
		t.Errorf("approving an unknown code: %v", err)
	}
	if err := remote.Decline(ctx, "NOSUCHCOD"); err == nil {
		t.Error("an unknown code was declined")
	}
	if err := remote.Revoke(ctx, alice); err != nil {
		t.Error(err)
	}
	counts, err := remote.Counts(ctx)
	if err != nil || len(counts) != len(msaltest.Kinds()) {
		t.Errorf("counts are %v, %v, want one for each kind", counts, err)
	}
	srv.Close()
	if _, err := remote.Count(ctx, msaltest.KindToken); err == nil {
		t.Error("a closed fake was counted")
	}
}

func TestConnectRefuses(t *testing.T) {
	t.Parallel()
	certificate := string(start(t, nil).CertificatePEM())
	tests := []struct{ name, authority, certificate string }{
		{"no URL", "", certificate},
		{"not a URL", "::", certificate},
		{"not TLS", "http://127.0.0.1:1/tenant", certificate},
		{"no certificate", "https://127.0.0.1:1/tenant", ""},
		{"not a certificate", "https://127.0.0.1:1/tenant", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
		{"a key", "https://127.0.0.1:1/tenant", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"},
	}
	for _, tt := range tests {
		if _, err := msaltest.Connect(tt.authority, []byte(tt.certificate)); err == nil {
			t.Errorf("%s: no error", tt.name)
		}
	}
}

func TestConnectEnvNeedsBothVariables(t *testing.T) {
	for _, pair := range start(t, nil).Env() {
		name, value, _ := strings.Cut(pair, "=")
		t.Run("only "+name, func(t *testing.T) {
			t.Setenv(msaltest.EnvAuthority, "")
			t.Setenv(msaltest.EnvCertificate, "")
			t.Setenv(name, value)
			if _, err := msaltest.ConnectEnv(); err == nil || !strings.Contains(err.Error(), msaltest.EnvAuthority) {
				t.Errorf("error is %v, want one that names the variables", err)
			}
		})
	}
}

func TestOnlyTheFakesCertificateIsTrusted(t *testing.T) {
	t.Parallel()
	srv := start(t, nil)
	discovery := srv.Authority() + "/v2.0/.well-known/openid-configuration"
	if resp, err := http.Get(discovery); err == nil {
		resp.Body.Close()
		t.Error("a client that trusts the system's authorities trusts the fake")
	}
	client, err := msaltest.HTTPClient(srv.CertificatePEM())
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Get(discovery)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}
