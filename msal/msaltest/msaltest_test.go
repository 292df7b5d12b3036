package msaltest_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	msalerrors "github.com/AzureAD/microsoft-authentication-library-for-go/apps/errors"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/msal/msaltest"
)

const (
	clientID = "11111111-2222-3333-4444-555555555555"
	alice    = "alice@contoso.example"
)

var scopes = []string{"User.Read"}

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(childMain())
	}
	os.Exit(m.Run())
}

// start runs a fake for the length of a test.
func start(t *testing.T, opts *msaltest.Options) *msaltest.Server {
	t.Helper()
	srv := msaltest.New(opts)
	t.Cleanup(srv.Close)
	return srv
}

// deadline bounds what a test waits for; the slowest takes about two seconds.
func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func newPublic(t *testing.T, srv *msaltest.Server, more ...public.Option) public.Client {
	t.Helper()
	opts := append([]public.Option{
		public.WithAuthority(srv.Authority()),
		public.WithHTTPClient(srv.Client()),
		public.WithInstanceDiscovery(false),
	}, more...)
	client, err := public.New(clientID, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// passwords is the part of a public client that Microsoft advises against;
// programs that use it still need a fake that serves it.
type passwords interface {
	AcquireTokenByUsernamePassword(ctx context.Context, scopes []string, username, password string,
		opts ...public.AcquireByUsernamePasswordOption) (public.AuthResult, error)
}

func byPassword(ctx context.Context, client passwords, username, password string) (public.AuthResult, error) {
	return client.AcquireTokenByUsernamePassword(ctx, scopes, username, password)
}

// signIn signs a user in with a password.
func signIn(t *testing.T, srv *msaltest.Server, client public.Client, username string) public.AuthResult {
	t.Helper()
	result, err := byPassword(deadline(t), client, username, srv.Password(username))
	if err != nil {
		t.Fatalf("signing in %s: %v", username, err)
	}
	return result
}

func silently(t *testing.T, client public.Client, account public.Account) (public.AuthResult, error) {
	t.Helper()
	return client.AcquireTokenSilent(deadline(t), scopes, public.WithSilentAccount(account))
}

// wantRefusal checks that MSAL failed because the server answered with an
// error whose text contains all of want.
func wantRefusal(t *testing.T, err error, want ...string) {
	t.Helper()
	if _, ok := errors.AsType[msalerrors.CallErr](err); !ok {
		t.Fatalf("error is %v, want an answer of the server with %q", err, want)
	}
	for _, text := range want {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error is %v, want it to contain %q", err, text)
		}
	}
}

func wantCounts(t *testing.T, srv *msaltest.Server, want map[msaltest.Kind]int) {
	t.Helper()
	got := srv.Counts()
	for kind, n := range want {
		if got[kind] != n {
			t.Errorf("%d requests of kind %q, want %d", got[kind], kind, n)
		}
	}
}
