package oidc_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/oidc"
)

// TestRotation: a key that wasn't there before is asked for at once.
func TestRotation(t *testing.T) {
	t.Parallel()
	p := newIDP()
	v := p.verifier(t, nil)
	verify := func(id string, n int) error {
		_, err := v.VerifyIDToken(t.Context(), token(t, id, n, nil), nil)
		return err
	}
	wantKind(t, verify("k-0", 0), nil)
	p.set(func(p *idp) { p.keys = append(p.keys, public("k-1", 1, "")) })
	wantKind(t, verify("k-0", 0), nil)
	wantKind(t, verify("k-1", 1), nil)
	p.set(func(p *idp) { p.keys = []map[string]any{public("k-2", 2, "")} })
	wantKind(t, verify("k-2", 2), nil)
	wantKind(t, verify("k-0", 0), msal.ErrIDTokenSignature)
	if n := p.count("configuration"); n != 1 {
		t.Errorf("asked %d times for the configuration", n)
	}
}

// TestForgedTokensFloodNobody: who sends tokens with made-up keys doesn't make
// this program ask the provider for each.
func TestForgedTokensFloodNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newIDP()
		v := p.verifier(t, nil)
		forged := token(t, "k-9", 1, nil)
		for range 50 {
			_, err := v.VerifyIDToken(t.Context(), forged, nil)
			wantKind(t, err, msal.ErrIDTokenSignature)
		}
		if n := p.count(keysPath); n > 2 {
			t.Errorf("asked %d times for keys in a moment", n)
		}
		p.set(func(p *idp) { p.keys = []map[string]any{public("k-1", 1, "")} })
		time.Sleep(5 * time.Second) // of the bubble's clock
		_, err := v.VerifyIDToken(t.Context(), token(t, "k-1", 1, nil), nil)
		wantKind(t, err, nil)
	})
}

// TestKeysCantBeHad: that isn't the token's fault, and the next time is another.
func TestKeysCantBeHad(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	for name, answer := range map[string]func() *http.Response{
		"busy":         func() *http.Response { return reply(503, secret) },
		"not there":    func() *http.Response { return reply(404, secret) },
		"not JSON":     func() *http.Response { return reply(200, secret) },
		"another JSON": func() *http.Response { return reply(200, `["`+secret+`"]`) },
		"busy, with a document": func() *http.Response {
			return reply(503, `{"keys":[],"issuer":"`+template+`","jwks_uri":"`+host+`/none"}`)
		},
		"moved": func() *http.Response {
			r := reply(302, secret)
			r.Header.Set("Location", "https://evil.example/")
			return r
		},
		"cut": func() *http.Response {
			r := reply(200, "")
			r.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"keys":[`), broken{}))
			return r
		},
	} {
		for _, what := range []string{"configuration", keysPath} {
			t.Run("S8 "+strings.Trim(what, "/")+" "+name, func(t *testing.T) {
				t.Parallel()
				p := newIDP()
				p.answer[what] = answer
				v := p.verifier(t, nil)
				raw := token(t, "k-0", 0, nil)
				got, err := v.VerifyIDToken(t.Context(), raw, nil)
				if _, blamed := errors.AsType[*msal.IDTokenError](err); got != nil || !errors.Is(err, oidc.ErrKeys) || blamed {
					t.Errorf("%v, %v", got, err)
				}
				if strings.Contains(err.Error(), secret) || len(err.Error()) > 400 {
					t.Error(err)
				}
				p.set(func(p *idp) { delete(p.answer, what) })
				if _, err := v.VerifyIDToken(t.Context(), raw, nil); err != nil {
					t.Errorf("later: %v", err)
				}
				if p.count("/") != 0 {
					t.Error("followed a redirect")
				}
			})
		}
	}
}

// TestDocumentsAreBounded: who answers for the provider can send as much as they
// like.
func TestDocumentsAreBounded(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"configuration", keysPath} {
		t.Run("S8 100 MiB of "+strings.Trim(what, "/"), func(t *testing.T) {
			t.Parallel()
			p, body := newIDP(), &long{}
			p.answer[what] = func() *http.Response {
				r := reply(200, "")
				r.Body = body
				return r
			}
			_, err := p.verifier(t, nil).VerifyIDToken(t.Context(), token(t, "k-0", 0, nil), nil)
			if n := body.read.Load(); !errors.Is(err, oidc.ErrKeys) || n > 4<<20 {
				t.Errorf("%v; %d bytes were read", err, n)
			}
		})
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestUnreachable has no network at all, and a caller who leaves.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	down := errors.New("no route to host")
	v, err := oidc.New(oidc.Options{Authority: authority, ClientID: "app", HTTPClient: &http.Client{Transport: failing{down}}})
	if err != nil {
		t.Fatal(err)
	}
	raw := token(t, "k-0", 0, nil)
	if _, err := v.VerifyIDToken(t.Context(), raw, nil); !errors.Is(err, oidc.ErrKeys) || !errors.Is(err, down) {
		t.Error(err)
	}
	for _, what := range []string{"configuration", keysPath} {
		ctx, cancel := context.WithCancel(t.Context())
		p := newIDP()
		hang := make(chan struct{})
		p.answer[what] = func() *http.Response {
			cancel()
			<-hang
			return reply(503, "")
		}
		_, err := p.verifier(t, nil).VerifyIDToken(ctx, raw, nil)
		close(hang)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

type failing struct{ err error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

// TestSharedDiscovery: many that come at once ask once, and one that leaves
// takes nothing away from the others.
func TestSharedDiscovery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newIDP()
		slow := make(chan struct{})
		v := p.verifier(t, func(o *oidc.Options) { o.HTTPClient = &http.Client{Transport: waiting{p, slow}} })
		raw := token(t, "k-0", 0, nil)
		first, leave := context.WithCancel(t.Context())
		results := make(chan error, 20)
		go func() {
			_, err := v.VerifyIDToken(first, raw, nil)
			results <- err
		}()
		synctest.Wait()
		for range cap(results) - 1 {
			go func() {
				_, err := v.VerifyIDToken(t.Context(), raw, nil)
				results <- err
			}()
		}
		synctest.Wait()
		leave()
		if err := <-results; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		close(slow)
		for range cap(results) - 1 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		if n, m := p.count("configuration"), p.count(keysPath); n != 1 || m > 2 {
			t.Errorf("asked %d times for the configuration and %d times for keys", n, m)
		}
	})
}

// waiting holds requests back.
type waiting struct {
	*idp
	until chan struct{}
}

func (w waiting) RoundTrip(req *http.Request) (*http.Response, error) {
	<-w.until
	return w.idp.RoundTrip(req)
}
