package extensions_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/pluginhost"
	"github.com/msalext/msalext/internal/canary"
	"github.com/msalext/msalext/internal/testproc"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// marker is in every token, code and password of these tests.
const marker = "canary-9b1f64"

// canaryChild goes through sign-in, refresh, sign-out and every failure that
// it can bring about, with logging at the finest level, and prints whatever a
// program could show of it: errors, and arguments and environment of both
// sides. Logs go to stderr, as the plugin's do.
func canaryChild(plugin, location, leak string) error {
	srv := msaltest.New(&msaltest.Options{Marker: marker, ExpiresIn: time.Minute, Approver: "alice@contoso.example", SingleUseRefreshTokens: true})
	defer srv.Close()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug - 4}))
	slog.SetDefault(log)
	host := pluginhost.New(&pluginhost.Options{Plugins: map[string]pluginhost.Binary{"file": {Path: plugin}}, Logger: log})
	p, err := extensions.Open(context.Background(), "file", location, &extensions.Options{Host: host, Logger: log})
	if err != nil {
		return err
	}
	show("protection", p.Protection().String(), nil)
	cache := extensions.NewPersistedTokenCache(p, &extensions.CacheOptions{OnError: func(err error) { show("OnError", "", err) }})
	if err := livesOf(srv, cache, location); err != nil {
		return err
	}
	for _, pid := range append(plugins(os.Getpid()), os.Getpid()) {
		for _, name := range []string{"cmdline", "environ"} {
			data, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
			if err != nil {
				return err
			}
			show(name, string(data), nil)
		}
	}
	planted := map[string]string{"raw": marker, "base64": base64.StdEncoding.EncodeToString([]byte("x" + marker)), "hex": hex.EncodeToString([]byte(marker)), "quoted": strconv.Quote(marker)}
	log.Debug("planted", "leak", planted[leak])
	return errors.Join(cache.Close(context.Background()), p.Close(), host.Close())
}

func show(what, text string, err error) {
	fmt.Printf("%s: %s %v %+v %#v\n", what, text, err, err, err)
}

// livesOf is what happens to a token cache in its life.
func livesOf(srv *msaltest.Server, cache *extensions.PersistedTokenCache, location string) error {
	ctx := context.Background()
	client, err := public.New("client", public.WithAuthority(srv.Authority()), public.WithHTTPClient(srv.Client()),
		public.WithInstanceDiscovery(false), public.WithCache(msal.Accessor(cache)))
	if err != nil {
		return err
	}
	scopes := []string{"User.Read"}
	code, err := client.AcquireTokenByDeviceCode(ctx, scopes)
	if err != nil {
		return err
	}
	r, err := code.AuthenticationResult(ctx)
	if err != nil {
		return err
	}
	silent := func() error {
		_, err := client.AcquireTokenSilent(ctx, scopes, public.WithSilentAccount(r.Account))
		return err
	}
	if err := silent(); err != nil {
		return err
	}
	for _, pid := range plugins(os.Getpid()) { // a call whose plugin dies
		if p, err := os.FindProcess(pid); err == nil {
			_ = p.Kill()
		}
	}
	show("after a kill", "", silent())
	stored, err := os.ReadFile(location)
	if err != nil || !bytes.Contains(stored, []byte(marker)) {
		return fmt.Errorf("the test proves nothing: the cache holds no marked token, %w", err)
	}
	for _, damage := range [][]byte{stored[:len(stored)/2], append(bytes.Clone(stored), stored...), bytes.Replace(stored, []byte(`"secret":"`), []byte(`"secret":`), 1)} {
		if err := os.WriteFile(location, damage, 0o600); err != nil {
			return err
		}
		show("damaged", "", silent())
		_, err := client.Accounts(ctx)
		show("damaged", "", err)
	}
	if err := os.WriteFile(location, stored, 0o600); err != nil {
		return err
	}
	srv.Fail(msaltest.KindTokenRefresh, msaltest.Failure{Code: "invalid_grant", Description: "revoked"})
	show("refused", "", silent())
	return client.RemoveAccount(ctx, r.Account)
}

func TestNoSecretIsShown(t *testing.T) {
	t.Parallel()
	for _, leak := range []string{"", "raw", "base64", "hex", "quoted"} {
		t.Run("planted "+leak, func(t *testing.T) {
			t.Parallel()
			out := testproc.Run(t, testproc.Command(t, "canary", filePlugin(t), location(t), leak))
			found := canary.Find([]byte(out), marker)
			if leak == "" && len(found) > 0 {
				t.Errorf("a secret shows as %v", found)
			}
			if leak != "" && len(found) == 0 {
				t.Error("the check is blind: it doesn't see a leak that was planted")
			}
			for _, seen := range []string{"damaged: ", "refused: ", "environ: ", "level=DEBUG"} {
				if !bytes.Contains([]byte(out), []byte(seen)) {
					t.Errorf("nothing of %q was looked at", seen)
				}
			}
		})
	}
}
