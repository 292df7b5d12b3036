package web_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/web"
)

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for name, c := range map[string]struct {
		change func(*web.Config)
		says   string
	}{
		"no client id":                {func(c *web.Config) { c.ClientID = "" }, "ClientID"},
		"no authority":                {func(c *web.Config) { c.Authority = "" }, "Authority"},
		"an authority by plain http":  {func(c *web.Config) { c.Authority = "http://login.example/t" }, "Authority"},
		"no credential":               {func(c *web.Config) { c.Credential = msal.Credential{} }, "Credential"},
		"no tokens":                   {func(c *web.Config) { c.Tokens = nil }, "Tokens"},
		"tokens in clear":             {func(c *web.Config) { c.AllowPlaintext = false }, "AllowPlaintext"},
		"no address":                  {func(c *web.Config) { c.BaseURL = "" }, "BaseURL"},
		"a relative address":          {func(c *web.Config) { c.BaseURL = "/shop" }, "BaseURL"},
		"an address with a path":      {func(c *web.Config) { c.BaseURL = "https://shop.example/app" }, "BaseURL"},
		"plain http":                  {func(c *web.Config) { c.BaseURL = "http://shop.example" }, "BaseURL"},
		"an address with a password":  {func(c *web.Config) { c.BaseURL = "https://a:hunter2@shop.example" }, "BaseURL"},
		"redirect to another host":    {func(c *web.Config) { c.RedirectURI = "https://other.example/user/authorized" }, "RedirectURI"},
		"redirect with a fragment":    {func(c *web.Config) { c.RedirectURI = c.BaseURL + "/user/authorized#x" }, "RedirectURI"},
		"a fragment as response mode": {func(c *web.Config) { c.ResponseMode = "fragment" }, "ResponseMode"},
		"two session stores":          {func(c *web.Config) { c.Sessions = scs.New() }, "Store"},
		"Graph by plain http":         {func(c *web.Config) { c.GraphURL = "http://graph.example/v1.0" }, "GraphURL"},
		"Graph by a name in clear":    {func(c *web.Config) { c.GraphURL = "http://localhost:8080/v1.0" }, "GraphURL"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := w.config("https://shop.example")
			c.change(&cfg)
			app, err := web.New(cfg)
			if app != nil || !errors.Is(err, web.ErrConfig) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestNewAccepts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for name, change := range map[string]func(*web.Config){
		"this machine by name":    func(c *web.Config) { c.BaseURL = "http://localhost:8080" },
		"this machine by address": func(c *web.Config) { c.BaseURL = "http://[::1]:8080" },
		"Graph on this machine":   func(c *web.Config) { c.GraphURL = "http://127.0.0.1:8080/v1.0" },
		"a redirect URI alone":    func(c *web.Config) { c.BaseURL, c.RedirectURI = "", "https://shop.example/user/authorized" },
		"encrypted tokens": func(c *web.Config) {
			c.AllowPlaintext, c.Tokens = false, persist.Later(func() (*persist.Persistence, error) { return openTokens(t, t.TempDir()+"/tokens"), nil })
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := w.config("https://shop.example")
			change(&cfg)
			app, err := web.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			if err := app.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDefaultSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	m := w.serve(nil).app.Sessions()
	if m.Lifetime != 24*time.Hour || m.IdleTimeout != 2*time.Hour || m.Cookie.Persist || !m.HashTokenInStore {
		t.Errorf("%+v", m)
	}
}

func TestConfigFromEnv(t *testing.T) {
	for name, value := range map[string]string{
		"SHOP_SP_APP_ID": "app", "SHOP_SP_APP_PW": "hunter2", "SHOP_SP_AUTHORITY": "https://login.microsoftonline.com/contoso.example",
		"SHOP_DOMAIN": "shop.example", "SHOP_COOKIE_NAME": "shop", "SHOP_SCOPES": "User.Read  Mail.Read",
	} {
		t.Setenv(name, value)
	}
	t.Run("W17 all", func(t *testing.T) {
		cfg, err := web.ConfigFromEnv("SHOP_")
		if err != nil || cfg.ClientID != "app" || cfg.BaseURL != "https://shop.example" || cfg.CookieName != "shop" || len(cfg.Scopes) != 2 {
			t.Fatalf("%+v, %v", cfg, err)
		}
		cfg.Tokens, cfg.AllowPlaintext, cfg.SweepEvery = inMemory(t), true, -1
		app, err := web.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := app.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Run("W17 an address for development", func(t *testing.T) {
		t.Setenv("SHOP_DOMAIN", "http://localhost:8080")
		if cfg, err := web.ConfigFromEnv("SHOP_"); err != nil || cfg.BaseURL != "http://localhost:8080" {
			t.Errorf("%q, %v", cfg.BaseURL, err)
		}
	})
	t.Run("W17 missing", func(t *testing.T) {
		t.Setenv("SHOP_SP_APP_ID", "")
		t.Setenv("SHOP_SP_APP_PW", "")
		_, err := web.ConfigFromEnv("SHOP_")
		if !errors.Is(err, web.ErrConfig) || !strings.Contains(err.Error(), "SHOP_SP_APP_ID") || !strings.Contains(err.Error(), "SHOP_SP_APP_PW") {
			t.Error(err)
		}
	})
}
