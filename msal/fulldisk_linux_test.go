package msal_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/internal/testproc"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
	"github.com/msalext/msalext/plugins/file"
)

var children = testproc.Children{
	"full":    func(args []string) error { return signInOnFullDisk(args[0]) },
	"sign in": func(args []string) error { return signInMany(args[0], args[1]) },
}

func TestMain(m *testing.M) { testproc.Main(m, children) }

func TestSignInOnAFullDisk(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(testproc.SharedDir(t), "full")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	testproc.Run(t, testproc.WithOwnMounts(testproc.Command(t, "full", dir)))
}

// signInOnFullDisk signs a second person in once the disk is full, and stores
// the token when there is room again.
func signInOnFullDisk(dir string) error {
	if err := testproc.MountTmpfs(dir, "128k"); err != nil {
		return err
	}
	srv := msaltest.New(nil)
	defer srv.Close()
	ctx := context.Background()
	var told []error
	cache, client, err := openAndJoin(ctx, srv, dir, &persist.CacheOptions{OnError: func(err error) { told = append(told, err) }})
	if err != nil {
		return err
	}
	if _, err := byPassword(ctx, client, alice); err != nil {
		return err
	}
	if err := os.WriteFile(dir+"/ballast", make([]byte, 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("the disk isn't full: %w", err)
	}
	r, err := byPassword(ctx, client, bob)
	if err != nil || r.AccessToken == "" || len(told) == 0 || !strings.Contains(told[0].Error(), "no space left") {
		return fmt.Errorf("the sign-in: %w; OnError was told %v", err, told)
	}
	if err := cache.Close(ctx); !errors.Is(err, backend.ErrUnavailable) {
		return fmt.Errorf("closing on a full disk: %w", err)
	}
	if err := os.Remove(dir + "/ballast"); err != nil {
		return err
	}
	if err := cache.Close(ctx); err != nil {
		return err
	}
	return storedOnDisk(ctx, srv, dir)
}

// storedOnDisk checks that both people can be found by another process.
func storedOnDisk(ctx context.Context, srv *msaltest.Server, dir string) error {
	_, client, err := openAndJoin(ctx, srv, dir, nil)
	if err != nil {
		return err
	}
	accounts, err := client.Accounts(ctx)
	if err != nil || len(accounts) != 2 {
		return fmt.Errorf("%d accounts are stored: %w", len(accounts), err)
	}
	for _, a := range accounts {
		if _, err := client.AcquireTokenSilent(ctx, scopes, public.WithSilentAccount(a)); err != nil {
			return err
		}
	}
	return nil
}

// fake is an msaltest.Server, or one of another process.
type fake interface {
	Authority() string
	Client() *http.Client
}

func openAndJoin(ctx context.Context, srv fake, dir string, o *persist.CacheOptions) (*persist.PersistedTokenCache, public.Client, error) {
	c := backend.Config{Location: dir + "/cache", Path: dir + "/cache"}
	store, err := file.Backend().Open(ctx, c)
	if err != nil {
		return nil, public.Client{}, err
	}
	cache := persist.NewPersistedTokenCache(persist.New("file", store, c, nil), o)
	client, err := public.New("client", public.WithAuthority(srv.Authority()), public.WithHTTPClient(srv.Client()),
		public.WithInstanceDiscovery(false), public.WithCache(msal.Accessor(cache)))
	return cache, client, err
}
