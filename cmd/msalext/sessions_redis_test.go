//go:build redis

package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	goredis "github.com/redis/go-redis/v9"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/envelope"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
	"github.com/msalext/msalext/msal/web"
	"github.com/msalext/msalext/msal/web/redisstore"
	"github.com/msalext/msalext/plugins/redis"
)

// TestSessionScripts are stories of a web app with its sessions and tokens on a
// Redis server: signed in are Alice, twice, Bob, whose tokens are gone, and Dave
// and Erin, of whom one has the other's address.
func TestSessionScripts(t *testing.T) {
	t.Parallel()
	entra := msaltest.New(&msaltest.Options{Marker: "canary"})
	t.Cleanup(entra.Close)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/redis", RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
		Setup: func(e *testscript.Env) error {
			address, err := startRedis(e)
			if err != nil {
				return err
			}
			certificate := filepath.Join(e.WorkDir, "certificate.pem")
			for name, value := range map[string]string{
				"HOME": e.WorkDir, "REDIS": address, "ADDRESS": address, "KEY": keyOfStories, "SSL_CERT_FILE": certificate,
				"SP_APP_ID": "web", "SP_APP_PW": "secret", "SP_AUTHORITY": entra.Authority(),
			} {
				e.Setenv(name, value)
			}
			return errors.Join(os.WriteFile(certificate, entra.CertificatePEM(), 0o600), signPeopleIn(e, entra, address))
		},
	})
}

const keyOfStories = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func startRedis(e *testscript.Env) (address string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	address = l.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	_ = l.Close()
	cmd := exec.Command("redis-server", "--bind", "127.0.0.1", "--port", port, "--dir", e.WorkDir, "--save", "", "--appendonly", "no")
	if err := cmd.Start(); err != nil {
		return "", err
	}
	e.Defer(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	client := goredis.NewClient(&goredis.Options{Addr: address})
	defer client.Close()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if err = client.Ping(context.Background()).Err(); err == nil || time.Now().After(deadline) {
			return address, err
		}
	}
}

// signPeopleIn does what a web app does. Scripts find the account of who signed in
// last in ACCOUNT.
func signPeopleIn(e *testscript.Env, entra *msaltest.Server, address string) (err error) {
	ctx := context.Background()
	tokens, err := tokensOfStories(ctx, address)
	if err != nil {
		return err
	}
	client := goredis.NewClient(&goredis.Options{Addr: address})
	defer func() { err = errors.Join(err, tokens.Close(), client.Close()) }()
	for _, who := range []struct {
		name, mail string
		since      time.Duration
	}{{"alice", "alice", 50 * 24 * time.Hour}, {"alice", "alice", time.Hour}, {"bob", "bob", 2 * time.Hour}, {"dave", "dave", 3 * time.Hour}, {"erin", "dave", 3 * time.Hour}} {
		r := web.Record{TokenKey: web.TokenPrefix + rand.Text(), Name: who.name, Email: who.name + "@contoso.example", Since: time.Now().Add(-who.since)}
		if r.Account, err = signInToApp(ctx, entra, tokens, r); err != nil {
			return err
		}
		r.Email = who.mail + "@contoso.example"
		e.Setenv("ACCOUNT", r.Account)
		if err := beginSession(ctx, client, r); err != nil {
			return err
		}
		if who.name == "bob" {
			if err := tokens.Key(r.TokenKey).Delete(ctx); err != nil {
				return err
			}
		}
	}
	return client.Set(ctx, redisstore.Prefix+"canary-damaged", "?", 0).Err()
}

func tokensOfStories(ctx context.Context, address string) (*extensions.Persistence, error) {
	dir, err := os.MkdirTemp("", "app-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := os.Setenv("MSALEXT_STORIES_KEY", keyOfStories); err != nil {
		return nil, err
	}
	return extensions.Open(ctx, "redis", filepath.Join(dir, "tokens"), &extensions.Options{
		InProcess: []backend.Backend{redis.Backend()}, Envelope: envelope.FromEnv("MSALEXT_STORIES_KEY"),
		Settings: map[string]backend.Settings{"redis": {"address": address, "prefix": "app"}},
	})
}

func beginSession(ctx context.Context, client *goredis.Client, r web.Record) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	deadline := time.Now().Add(time.Hour)
	data, err := (scs.GobCodec{}).Encode(deadline, map[string]any{web.RecordName: string(text)})
	if err != nil {
		return err
	}
	return redisstore.New(client, nil).CommitCtx(ctx, "canary-"+rand.Text(), data, deadline)
}

func signInToApp(ctx context.Context, entra *msaltest.Server, tokens *extensions.Persistence, r web.Record) (account string, err error) {
	secret, err := msal.Secret("secret")
	if err != nil {
		return "", err
	}
	client, err := msal.NewConfidential("web", secret, &msal.Options{
		Authority: entra.Authority(), HTTPClient: entra.Client(), DisableInstanceDiscovery: true,
		Cache: extensions.NewPersistedTokenCache(tokens.Key(r.TokenKey), nil),
	})
	if err != nil {
		return "", err
	}
	f, err := client.BeginAuthCode(ctx, msal.AuthCodeOptions{RedirectURI: "https://app.example/user/authorized", Scopes: []string{"User.Read"}})
	if err != nil {
		return "", err
	}
	answer, err := entra.Authorize(f.AuthURI, r.Email)
	if err != nil {
		return "", err
	}
	result, err := client.CompleteAuthCode(ctx, f, answer, nil)
	return result.Account.HomeAccountID, err
}
