package msal_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// optionShows wants that what can be observed is one thing with an option, and
// another without: an option that is ignored fails it.
func optionShows(t *testing.T, observe func(*testing.T, *world, *msal.Options) string, set func(*world, *msal.Options), with, without string) {
	t.Helper()
	for _, c := range []struct {
		name, want string
		set        func(*world, *msal.Options)
	}{{"with", with, set}, {"without", without, func(*world, *msal.Options) {}}} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			o := w.options(nil)
			c.set(w, o)
			if got := observe(t, w, o); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// appToken asks for an application's token, and tells what went wrong.
func appToken(ctx context.Context, w *world, o *msal.Options) error {
	_, err := w.web(o).ForClient(ctx, []string{"api://orders/.default"}, nil)
	return err
}

// header observes a header field of a token request.
func header(name string) func(*testing.T, *world, *msal.Options) string {
	return func(t *testing.T, w *world, o *msal.Options) string {
		if err := appToken(t.Context(), w, o); err != nil {
			t.Fatal(err)
		}
		return w.last(msaltest.KindToken).Header.Get(name)
	}
}

func TestOptionAuthority(t *testing.T) {
	t.Run("A6 authority", func(t *testing.T) {
		optionShows(t, func(t *testing.T, w *world, o *msal.Options) string {
			if err := appToken(t.Context(), w, o); err != nil {
				t.Fatal(err)
			}
			return w.last(msaltest.KindToken).Path
		}, func(w *world, o *msal.Options) { o.Authority = w.srv.URL() + "/fabrikam.example" },
			"/fabrikam.example/oauth2/v2.0/token", "/contoso.example/oauth2/v2.0/token")
	})
	for name, c := range map[string]struct{ authority, want string }{
		"A6 default":        {"", "https://login.microsoftonline.com/common/oauth2/v2.0/authorize"},
		"A6 cloud alone":    {msal.AuthorityChina, "https://login.partner.microsoftonline.cn/common/oauth2/v2.0/authorize"},
		"A6 cloud, tenant":  {msal.AuthorityUSGovernment + "contoso.example", "https://login.microsoftonline.us/contoso.example/oauth2/v2.0/authorize"},
		"A6 without tenant": {"https://login.microsoftonline.com", "https://login.microsoftonline.com/common/oauth2/v2.0/authorize"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			for _, client := range []codeFlows{
				w.public(&msal.Options{Authority: c.authority, HTTPClient: w.srv.CloudClient()}),
				w.web(&msal.Options{Authority: c.authority, HTTPClient: w.srv.CloudClient()}),
			} {
				uri, err := client.AuthCodeURL(t.Context(), msal.AuthCodeOptions{RedirectURI: clientRedirect, Scopes: scopes}, "")
				if got, _, _ := strings.Cut(uri, "?"); err != nil || got != c.want {
					t.Errorf("%T leads to %q, want %q: %v", client, got, c.want, err)
				}
			}
		})
	}
}

func TestOptionCache(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	t.Run("A8 a cache that is shared", func(t *testing.T) {
		cache, _ := w.cache(nil)
		_, o := w.signedInPublic(w.options(cache))
		other, _ := w.cache(nil)
		silently(t, w.public(w.options(other)), o)
	})
	t.Run("A9 in memory", func(t *testing.T) {
		p, o := w.signedInPublic(w.options(nil))
		silently(t, p, o)
		if _, err := w.public(w.options(nil)).Silent(t.Context(), scopes, o); !errors.Is(err, msal.ErrNoToken) {
			t.Errorf("another client finds it: %v", err)
		}
	})
}

func TestOptionAppName(t *testing.T) {
	t.Run("A13 app_name", func(t *testing.T) {
		optionShows(t, header("x-app-name"), func(_ *world, o *msal.Options) { o.AppName = "orders" }, "orders", "")
	})
}

func TestOptionAppVersion(t *testing.T) {
	t.Run("A13 app_version", func(t *testing.T) {
		optionShows(t, header("x-app-ver"), func(_ *world, o *msal.Options) { o.AppVersion = "1.2" }, "1.2", "")
	})
}

func TestOptionCapabilities(t *testing.T) {
	t.Run("A3 client_capabilities", func(t *testing.T) {
		optionShows(t, func(t *testing.T, w *world, o *msal.Options) string {
			if err := appToken(t.Context(), w, o); err != nil {
				t.Fatal(err)
			}
			return w.last(msaltest.KindToken).Form.Get("claims")
		}, func(_ *world, o *msal.Options) { o.Capabilities = []string{"cp1"} },
			`{"access_token":{"xms_cc":{"values":["cp1"]}}}`, "")
	})
	t.Run("A1 client_capabilities", func(t *testing.T) {
		optionShows(t, func(t *testing.T, w *world, o *msal.Options) string {
			w.byCodeFlow(w.public(o))
			return w.last(msaltest.KindTokenCode).Form.Get("claims")
		}, func(_ *world, o *msal.Options) { o.Capabilities = []string{"cp1"} },
			`{"access_token":{"xms_cc":{"values":["cp1"]}}}`, "")
	})
	t.Run("C12 capabilities and a challenge", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.options(nil)
		o.Capabilities = []string{"cp1"}
		c, who := w.signedInWeb(o)
		who.Claims = `{"access_token":{"nbf":{"value":"17"}},"id_token":{"acr":null}}`
		silently(t, c, who)
		want := `{"access_token":{"nbf":{"value":"17"},"xms_cc":{"values":["cp1"]}},"id_token":{"acr":null}}`
		if got := w.last(msaltest.KindTokenRefresh).Form.Get("claims"); got != want {
			t.Errorf("sent %s", got)
		}
	})
}

func TestOptionDisableInstanceDiscovery(t *testing.T) {
	t.Run("A7 validate_authority=False", func(t *testing.T) {
		optionShows(t, func(t *testing.T, w *world, o *msal.Options) string {
			o.DisableInstanceDiscovery = !o.DisableInstanceDiscovery // the tests' own setting is the other one
			o.HTTPClient, o.Authority = w.srv.CloudClient(), "https://login.contoso.example/tenant"
			if err := appToken(t.Context(), w, o); err != nil {
				t.Fatal(err)
			}
			return fmt.Sprint(w.srv.Count(msaltest.KindInstance) > 0)
		}, func(_ *world, o *msal.Options) { o.DisableInstanceDiscovery = false }, "false", "true")
	})
}

func TestOptionRegion(t *testing.T) {
	hostsOf := func(t *testing.T, w *world, o *msal.Options) string {
		o.Authority, o.DisableInstanceDiscovery = msal.AuthorityPublic+"contoso.example", false
		cloud, host := w.srv.CloudClient(), ""
		o.HTTPClient = network(func(req *http.Request) (*http.Response, error) {
			if req.Method == http.MethodPost {
				host = req.URL.Host
			}
			return cloud.Do(req)
		})
		if err := appToken(t.Context(), w, o); err != nil {
			t.Fatal(err)
		}
		return host
	}
	t.Run("S15 region", func(t *testing.T) {
		optionShows(t, hostsOf, func(_ *world, o *msal.Options) { o.Region = "westeurope" },
			"westeurope.login.microsoft.com", "login.microsoftonline.com")
	})
	t.Run("S16 region of the machine", func(t *testing.T) {
		t.Setenv("REGION_NAME", "northeurope")
		optionShows(t, hostsOf, func(_ *world, o *msal.Options) { o.Region = msal.RegionAutoDetect },
			"northeurope.login.microsoft.com", "login.microsoftonline.com")
	})
}

func TestOptionLogger(t *testing.T) {
	t.Run("S21 requests logged", func(t *testing.T) {
		var log bytes.Buffer
		optionShows(t, func(t *testing.T, w *world, o *msal.Options) string {
			log.Reset()
			if err := appToken(t.Context(), w, o); err != nil {
				t.Fatal(err)
			}
			return fmt.Sprint(strings.Count(log.String(), "grant_type=client_credentials"))
		}, func(_ *world, o *msal.Options) {
			o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		}, "1", "0")
	})
}

func TestOptionLogPII(t *testing.T) {
	t.Run("S21 enable_pii_log", func(t *testing.T) {
		var log bytes.Buffer
		optionShows(t, func(t *testing.T, w *world, o *msal.Options) string {
			log.Reset()
			o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			w.signedInPublic(o)
			return fmt.Sprint(strings.Contains(log.String(), alice))
		}, func(_ *world, o *msal.Options) { o.LogPII = true }, "true", "false")
	})
}

func TestOptionsRefused(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]msal.Options{
		"http":                   {Authority: "http://login.microsoftonline.com/common"},
		"not a URL":              {Authority: "https://%zz"},
		"no host":                {Authority: "https:///common"},
		"a user":                 {Authority: "https://me:secret@login.microsoftonline.com/common"},
		"a query":                {Authority: "https://login.microsoftonline.com/common?p=x"},
		"two networks":           {HTTPClient: http.DefaultClient, InsecureSkipVerify: true},
		"a network and a proxy":  {HTTPClient: http.DefaultClient, Proxy: http.ProxyFromEnvironment},
		"a network and CAs":      {HTTPClient: http.DefaultClient, RootCAs: x509.NewCertPool()},
		"a time before the call": {Timeout: -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := msal.NewPublic("client", &o)
			if !errors.Is(err, msal.ErrOptions) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v", err)
			}
			secret, err := msal.Secret("secret")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := msal.NewConfidential("web", secret, &o); !errors.Is(err, msal.ErrOptions) {
				t.Errorf("%v", err)
			}
		})
	}
	if _, err := msal.NewPublic("client", &msal.Options{Region: "westeurope"}); !errors.Is(err, msal.ErrOptions) {
		t.Errorf("a public client with a region: %v", err)
	}
	if _, err := msal.NewPublic("", nil); !errors.Is(err, msal.ErrOptions) {
		t.Errorf("no client id: %v", err)
	}
	if _, err := msal.NewConfidential("web", msal.Credential{}, nil); !errors.Is(err, msal.ErrCredential) {
		t.Errorf("no credential: %v", err)
	}
}
