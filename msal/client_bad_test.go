package msal_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// unending is a body that never ends, and counts what was read of it.
type unending struct{ read int }

func (e *unending) Read(p []byte) (int, error) {
	const limit = 100 << 20
	n := min(len(p), limit-e.read)
	if n == 0 {
		return 0, io.EOF
	}
	for i := range p[:n] {
		p[i] = ' '
	}
	e.read += n
	return n, nil
}

// TestAnswerOf100MiB: a few megabytes are read, whatever the status.
func TestAnswerOf100MiB(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusOK, http.StatusBadRequest, http.StatusServiceUnavailable} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			w := newWorld(t, nil)
			o, body := w.options(nil), &unending{}
			o.HTTPClient = answering(w.srv.Client(), status, body)
			c := w.web(o)
			if _, err := c.ForClient(t.Context(), scopes, nil); !errors.Is(err, msal.ErrAnswerTooLarge) || body.read > 5<<20 {
				t.Errorf("%d bytes were read: %v", body.read, err)
			}
		})
	}
	t.Run("discovery", func(t *testing.T) {
		w := newWorld(t, nil)
		o, body := w.options(nil), &unending{}
		o.HTTPClient = network(func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(body), Header: http.Header{}, Request: req}, nil
		})
		if _, err := w.web(o).ForClient(t.Context(), scopes, nil); !errors.Is(err, msal.ErrAnswerTooLarge) || body.read > 5<<20 {
			t.Errorf("%d bytes were read: %v", body.read, err)
		}
	})
}

// TestAnswersMalformed: what isn't a token is an error, for both kinds of client,
// that holds nothing of the answer; and it isn't one that says that nothing was
// cached.
func TestAnswersMalformed(t *testing.T) {
	t.Parallel()
	const secret = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl"
	for name, body := range map[string]string{
		"nothing":                 "",
		"null":                    "null",
		"a list":                  "[]",
		"a text":                  `"` + secret + `"`,
		"a page":                  "<html>" + secret,
		"cut off":                 `{"access_token":"` + secret + `"`,
		"an error, as success":    `{"error":"invalid_grant","error_description":"` + secret + `"}`,
		"no token":                `{"expires_in":3600}`,
		"no time":                 `{"access_token":"` + secret + `"}`,
		"a token of a list":       `{"access_token":["` + secret + `"],"expires_in":3600}`,
		"a time of words":         `{"access_token":"` + secret + `","expires_in":"soon"}`,
		"no UTF-8":                "{\"access_token\":\"\xff\xfe" + secret + "\",\"expires_in\":{}}",
		"an ID token that's none": `{"access_token":"` + secret + `","expires_in":3600,"id_token":"` + secret[:30] + `","client_info":"e30"}`,
		"client_info of noise":    `{"access_token":"` + secret + `","expires_in":3600,"id_token":"` + secret + `","client_info":"%%%"}`,
		"deep":                    strings.Repeat(`{"a":`, 20000) + "1" + strings.Repeat("}", 20000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			both(t, func(t *testing.T, w *world, c silent, o *msal.SilentOptions) {
				cache, _ := w.cache(nil)
				opts := w.options(cache)
				opts.HTTPClient = answering(w.srv.Client(), http.StatusOK, strings.NewReader(body))
				var bad silent = w.public(opts)
				if _, ok := c.(*msal.Confidential); ok {
					bad = w.web(opts)
				}
				forced := *o
				forced.ForceRefresh = true
				_, err := bad.Silent(t.Context(), scopes, &forced)
				if _, typed := errors.AsType[*msal.Error](err); !typed || errors.Is(err, msal.ErrNoToken) {
					t.Errorf("%v", err)
				}
				wantNoSecrets(t, err, secret)
				if got := silently(t, c, o); !got.FromCache() {
					t.Error("what was cached is gone")
				}
			})
		})
	}
}

// TestNoRedirectOfSecrets: a request with a secret isn't sent on to wherever an
// answer points.
func TestNoRedirectOfSecrets(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			o := w.options(nil)
			direct(w, o)
			elsewhere := newWorld(t, nil)
			there := http.Header{"Location": {elsewhere.srv.Authority() + "/oauth2/v2.0/token"}}
			w.srv.Fail(msaltest.KindToken, msaltest.Failure{Status: status, Header: there})
			_, err := w.web(o).ForClient(t.Context(), scopes, nil)
			if e, ok := errors.AsType[*msal.Error](err); !ok || e.Status != status {
				t.Errorf("%v", err)
			}
			if n := elsewhere.srv.Count(msaltest.KindToken) + elsewhere.srv.Count(msaltest.KindTokenOther); n != 0 {
				t.Errorf("sent on %d times", n)
			}
		})
	}
}

// TestClientsPrintNoSecret: a client that somebody logs shows nothing of its
// credential and its tokens.
func TestClientsPrintNoSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	secret, err := msal.Secret("a-very-secret-secret")
	if err != nil {
		t.Fatal(err)
	}
	c, err := msal.NewConfidential("web", secret, w.options(nil))
	if err != nil {
		t.Fatal(err)
	}
	result := w.byCodeFlow(c)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("made", "client", c, "result", result)
	for _, text := range []string{
		fmt.Sprintf("%v %+v %#v %s %d", c, c, c, c, c), fmt.Sprintf("%v %+v %#v", *c, *c, *c), log.String(),
		fmt.Sprintf("%v %+v %#v %s %x", result, result, result, result, []msal.Result{result}), fmt.Sprintf("%+v", &result),
	} {
		for _, hidden := range []string{"a-very-secret-secret", result.AccessToken, result.RefreshToken, result.IDToken.RawToken, alice} {
			if strings.Contains(text, hidden) {
				t.Errorf("%.20q is in %s", hidden, text)
			}
		}
	}
}

// TestSilentCacheThatCantBeRead: that isn't a cache which has nothing.
func TestSilentCacheThatCantBeRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	cache, store := w.cache(nil)
	c, o := w.signedInWeb(w.options(cache))
	p, who := w.signedInPublic(w.options(cache))
	store.fail(&backend.Error{Op: "load", Kind: backend.ErrLocked}, nil)
	w.underAnotherName(strings.TrimPrefix(w.srv.URL(), "https://"), "other.example") // so that it has to be read again
	for name, one := range map[string]struct {
		silent
		o *msal.SilentOptions
	}{"own": {c, nil}, "confidential": {c, o}, "public": {p, who}} {
		if _, err := one.Silent(t.Context(), scopes, one.o); !errors.Is(err, backend.ErrLocked) || errors.Is(err, msal.ErrNoToken) {
			t.Errorf("%s: %v", name, err)
		}
		forced := msal.SilentOptions{ForceRefresh: true}
		if one.o != nil {
			forced.Account = one.o.Account
			if _, err := one.Silent(t.Context(), scopes, &forced); !errors.Is(err, backend.ErrLocked) {
				t.Errorf("%s, forced: %v", name, err)
			}
		}
	}
}
