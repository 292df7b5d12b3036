package msal_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/internal/testproc"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
	"github.com/msalext/msalext/plugins/file"

	msalcache "github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
)

func init() {
	children["refresh"] = func(args []string) error { return refreshElsewhere(args[0], args[1], args[2:]) }
}

// refreshElsewhere acquires tokens for further scopes in a key's cache, as
// another process of the same web app.
func refreshElsewhere(path, key string, scopes []string) error {
	ctx := context.Background()
	remote, err := msaltest.ConnectEnv()
	if err != nil {
		return err
	}
	c := backend.Config{Location: path, Path: path}
	store, err := file.Backend().Open(ctx, c)
	if err != nil {
		return err
	}
	credential, err := confidential.NewCredFromSecret("secret")
	if err != nil {
		return err
	}
	clients := msal.Partitioned(persist.New("file", store, c, nil), nil, func(c msalcache.ExportReplace) (confidential.Client, error) {
		return confidential.New(remote.Authority(), "web", credential, confidential.WithHTTPClient(remote.Client()),
			confidential.WithInstanceDiscovery(false), confidential.WithCache(c))
	}, nil)
	for _, scope := range scopes {
		client, err := clients.Client(msal.WithPartition(ctx, key))
		if err != nil {
			return err
		}
		account, err := client.Account(ctx, msaltest.HomeAccountID(alice))
		if err != nil {
			return err
		}
		if _, err := client.AcquireTokenSilent(ctx, []string{scope}, confidential.WithSilentAccount(account)); err != nil {
			return err
		}
	}
	return clients.Close(ctx)
}

// TestProcessesMergeOneUser has two processes acquire tokens for the same
// session at once: both keep all of theirs.
func TestProcessesMergeOneUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	a := w.app(nil, nil)
	account := a.signIn("session", alice).Account
	theirs := strings.Fields("api-0/x api-1/x api-2/x api-3/x api-4/x api-5/x api-6/x api-7/x")
	cmd := testproc.Command(t, "refresh", append([]string{filepath.Clean(w.path), "session"}, theirs...)...)
	cmd.Env = append(cmd.Env, w.srv.Env()...)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}()
	ours := strings.Fields("mine-0/x mine-1/x mine-2/x mine-3/x mine-4/x mine-5/x mine-6/x mine-7/x")
	acquire := func(of *app, scope string) {
		if _, err := of.client("session").AcquireTokenSilent(t.Context(), []string{scope}, confidential.WithSilentAccount(account)); err != nil {
			t.Errorf("%s: %v", scope, err)
		}
	}
	for _, scope := range ours {
		acquire(a, scope)
	}
	<-done
	before := w.srv.Count(msaltest.KindToken)
	for _, of := range []*app{a, w.app(nil, nil)} {
		for _, scope := range append(ours, theirs...) {
			acquire(of, scope)
		}
	}
	if n := w.srv.Count(msaltest.KindToken) - before; n != 0 {
		t.Errorf("%d of the tokens were lost", n)
	}
}
