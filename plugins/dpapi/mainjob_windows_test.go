package dpapi

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/internal/testproc"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// use does what a program does that sets nothing: Windows' own store, and the
// plugin from the folder beside the program.
func use(location string, do func(context.Context, *extensions.PersistedTokenCache) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	p, err := extensions.BuildPersistence(ctx, location, nil)
	if err != nil {
		return err
	}
	if p.Backend() != name || !p.IsEncrypted() {
		return fmt.Errorf("chosen: %s, %v", p.Backend(), p.Protection())
	}
	cache := extensions.NewPersistedTokenCache(p, nil)
	return errors.Join(do(ctx, cache), cache.Close(ctx), p.Close())
}

func newClient(cache *extensions.PersistedTokenCache) (public.Client, error) {
	tenant, err := msaltest.ConnectEnv()
	if err != nil {
		return public.Client{}, err
	}
	return public.New("app", public.WithAuthority(tenant.Authority()), public.WithHTTPClient(tenant.Client()),
		public.WithInstanceDiscovery(false), public.WithCache(msal.Accessor(cache)))
}

var scopes = []string{"User.Read"}

// signInChild signs people in, one after the other.
func signInChild(location string, people ...string) error {
	return use(location, func(ctx context.Context, cache *extensions.PersistedTokenCache) error {
		client, err := newClient(cache)
		if err != nil {
			return err
		}
		for _, person := range people {
			if _, err := passwords(client).AcquireTokenByUsernamePassword(ctx, scopes, person, msaltest.DefaultPassword); err != nil {
				return fmt.Errorf("sign-in of %s: %w", person, err)
			}
		}
		return nil
	})
}

// silentChild prints whose tokens it has without asking anybody.
func silentChild(location string) error {
	return use(location, func(ctx context.Context, cache *extensions.PersistedTokenCache) error {
		client, err := newClient(cache)
		if err != nil {
			return err
		}
		accounts, err := client.Accounts(ctx)
		for _, a := range accounts {
			_, failed := client.AcquireTokenSilent(ctx, scopes, public.WithSilentAccount(a))
			err = errors.Join(err, failed)
			fmt.Println("token of", a.PreferredUsername)
		}
		return err
	})
}

// passwords is MSAL's sign-in without a person, which MSAL deprecates.
type passwords interface {
	AcquireTokenByUsernamePassword(ctx context.Context, scopes []string, username, password string,
		opts ...public.AcquireByUsernamePasswordOption) (public.AuthResult, error)
}

// countChild prints how many people the cache has.
func countChild(location string) error {
	return use(location, func(ctx context.Context, cache *extensions.PersistedTokenCache) error {
		accounts, err := cache.Accounts(ctx)
		people := map[string]bool{}
		for _, a := range accounts {
			people[a.Username] = true
		}
		fmt.Println(len(people), "people")
		return err
	})
}

// A program is a copy of the test binary with the plugin installed beside it.
type program struct {
	path   string
	server *msaltest.Server
}

func newProgram(t *testing.T) program {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	built, err := builtPlugin()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	install(t, built, filepath.Join(dir, "msalext-plugins", pluginFile))
	server := msaltest.New(nil)
	t.Cleanup(server.Close)
	return program{install(t, exe, filepath.Join(dir, "program.exe")), server}
}

func (p program) command(t *testing.T, child string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := testproc.Command(t, child, args...)
	cmd.Path = p.path
	cmd.Env = append(cmd.Env, p.server.Env()...)
	return cmd
}

func TestSecondProcessMakesNoRequest(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	location := filepath.Join(t.TempDir(), "app", "cache")
	const alice = "alice@contoso.example"
	testproc.Run(t, p.command(t, "sign in", location, alice))
	before := p.server.Count(msaltest.KindToken)
	if out := testproc.Run(t, p.command(t, "silent", location)); !strings.Contains(out, "token of "+alice) {
		t.Errorf("the second process: %s", out)
	}
	if now := p.server.Count(msaltest.KindToken); before == 0 || now != before {
		t.Errorf("token requests: %d by the first process, %d by the second", before, now-before)
	}
	sealed, err := os.ReadFile(location)
	if err != nil {
		t.Fatal(err)
	}
	if data, err := byTheSystem(sealed, nil); err != nil || !strings.Contains(string(data), alice) {
		t.Errorf("the system decrypts %d bytes, %v", len(data), err)
	}
}

func TestManyProcessesKeepAllSignIns(t *testing.T) {
	t.Parallel()
	const processes, signIns = 4, 60
	p := newProgram(t)
	location := filepath.Join(t.TempDir(), "app", "cache")
	var wg sync.WaitGroup
	for i := range processes {
		args := []string{location}
		for j := range signIns {
			args = append(args, fmt.Sprintf("person%d-%d@contoso.example", i, j))
		}
		cmd := p.command(t, "sign in", args...)
		wg.Go(func() {
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("process %d: %v: %s", i, err, out)
			}
		})
	}
	wg.Wait()
	if out, want := testproc.Run(t, p.command(t, "count", location)), fmt.Sprint(processes*signIns, " people"); strings.TrimSpace(out) != want {
		t.Errorf("%s, not %s", out, want)
	}
}
