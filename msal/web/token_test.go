package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/msalext/msalext/msal/msaltest"
	"github.com/msalext/msalext/msal/web"
)

// away is a network that can be gone.
type away struct {
	next http.RoundTripper
	gone atomic.Bool
}

func (a *away) RoundTrip(r *http.Request) (*http.Response, error) {
	if a.gone.Load() {
		return nil, errors.New("no route to host")
	}
	return a.next.RoundTrip(r)
}

func TestToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser(w.serve(nil))
	b.signIn(w, "/user/login", alice)
	codes := w.entra.Counts()
	t.Run("W6 of the sign-in", func(t *testing.T) {
		err := b.with(func(r *http.Request, s *web.Session) error {
			ctx := r.Context()
			token, err := s.Token(ctx)
			if err == nil && (token.Value == "" || time.Until(token.Expires) < 30*time.Minute) {
				err = fmt.Errorf("%v", token)
			}
			encoded, err2 := json.Marshal(token)
			err = errors.Join(err, err2)
			if text := fmt.Sprintf("%v %+v %#v %s %v %s", token, token, token, &token, token.LogValue(), encoded); strings.Contains(text, token.Value) {
				t.Error(text)
			}
			again, err2 := s.Token(ctx, "User.Read")
			if again != token {
				t.Error("another one the second time")
			}
			return errors.Join(err, err2)
		})
		if n := w.entra.Count(msaltest.KindToken) - codes[msaltest.KindToken]; err != nil || n != 0 {
			t.Errorf("%d requests, %v", n, err)
		}
	})
	t.Run("W6 for another API", func(t *testing.T) {
		err := b.with(func(r *http.Request, s *web.Session) error {
			ctx := r.Context()
			_, err := s.Token(ctx, "api://orders/Read")
			return err
		})
		if n := w.entra.Count(msaltest.KindTokenRefresh); err != nil || n != 1 {
			t.Errorf("%d refreshes, %v", n, err)
		}
	})
	t.Run("W7 azcore.TokenCredential", func(t *testing.T) {
		err := b.with(func(r *http.Request, s *web.Session) error {
			ctx := r.Context()
			own, err := s.Token(ctx)
			if err != nil {
				return err
			}
			for _, scopes := range [][]string{nil, {"User.Read"}} {
				got, err := s.Credential("User.Read").GetToken(ctx, policy.TokenRequestOptions{Scopes: scopes})
				if err != nil || got.Token != own.Value || !got.ExpiresOn.Equal(own.Expires) {
					t.Errorf("%v: %v", scopes, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("W7 of another tenant", func(t *testing.T) {
		err := b.with(func(r *http.Request, s *web.Session) error {
			_, err := s.Credential().GetToken(r.Context(), policy.TokenRequestOptions{Scopes: []string{"User.Read"}, TenantID: "fabrikam.example"})
			return err
		})
		refreshes := w.entra.Requests(msaltest.KindTokenRefresh)
		if err != nil || !strings.HasPrefix(refreshes[len(refreshes)-1].Path, "/fabrikam.example/") {
			t.Errorf("%+v, %v", refreshes, err)
		}
	})
	t.Run("W6 of nobody", func(t *testing.T) {
		err := w.browser(b.site).with(func(r *http.Request, s *web.Session) error {
			ctx := r.Context()
			_, err := s.Token(ctx)
			return err
		})
		if !errors.Is(err, web.ErrSignIn) {
			t.Error(err)
		}
	})
}

// TestSingleFlight: many requests of one session that find no valid token send
// one refresh.
func TestSingleFlight(t *testing.T) {
	t.Parallel()
	// MSAL takes no token from its cache that lives for less than five minutes.
	w := newWorld(t, &msaltest.Options{ExpiresIn: time.Minute, Latency: 300 * time.Millisecond, SingleUseRefreshTokens: true})
	s := w.serve(nil)
	b := w.browser(s)
	b.signIn(w, "/user/login", alice)
	const callers = 40
	var waiting sync.WaitGroup
	waiting.Add(callers)
	s.page("/token", func(rw http.ResponseWriter, r *http.Request, session *web.Session) {
		waiting.Done()
		waiting.Wait()
		token, err := session.Token(r.Context())
		fmt.Fprint(rw, token.Value, err)
	})
	var mu sync.Mutex
	seen := map[string]int{}
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			body := b.get("/token").body
			mu.Lock()
			defer mu.Unlock()
			seen[body]++
		})
	}
	wg.Wait()
	if n := w.entra.Count(msaltest.KindTokenRefresh); n != 1 || len(seen) != 1 {
		t.Errorf("%d refreshes, %d different answers", n, len(seen))
	}
}

// TestLeaverDoesNotSpoil: the first of several that wait may go.
func TestLeaverDoesNotSpoil(t *testing.T) {
	t.Parallel()
	w := newWorld(t, &msaltest.Options{ExpiresIn: time.Minute, Latency: 300 * time.Millisecond})
	b := w.browser(w.serve(nil))
	b.signIn(w, "/user/login", alice)
	err := b.with(func(r *http.Request, s *web.Session) error {
		ctx := r.Context()
		short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		first := make(chan error, 1)
		go func() {
			_, err := s.Token(short)
			first <- err
		}()
		if err := w.entra.Await(ctx, msaltest.KindTokenRefresh, 1); err != nil {
			return err
		}
		token, err := s.Token(ctx)
		if left := <-first; !errors.Is(left, context.DeadlineExceeded) {
			t.Errorf("the first: %v", left)
		}
		if token.Value == "" {
			t.Error("no token")
		}
		return err
	})
	if n := w.entra.Count(msaltest.KindTokenRefresh); err != nil || n != 1 {
		t.Errorf("%d refreshes, %v", n, err)
	}
}

// TestRevoked: who has been revoked is led to the sign-in.
func TestRevoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, &msaltest.Options{ExpiresIn: time.Minute})
	s := w.serve(nil)
	b := w.browser(s)
	b.signIn(w, "/user/login", alice)
	w.entra.Revoke(alice)
	s.page("/orders", func(rw http.ResponseWriter, r *http.Request, session *web.Session) {
		if _, err := session.Token(r.Context()); err != nil {
			s.app.Deny(rw, r, err)
		}
	})
	if a := b.get("/orders?page=2"); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/user/login?to=%2Forders%3Fpage%3D2" {
		t.Errorf("status %d to %q", a.StatusCode, a.Header.Get("Location"))
	}
}

func TestTrouble(t *testing.T) {
	t.Parallel()
	w := newWorld(t, &msaltest.Options{ExpiresIn: time.Minute})
	network := &away{next: w.entra.Client().Transport}
	s := w.serve(func(c *web.Config) { c.HTTPClient = &http.Client{Transport: network} })
	b := w.browser(s)
	b.signIn(w, "/user/login", alice)
	network.gone.Store(true)
	s.page("/orders", func(rw http.ResponseWriter, r *http.Request, session *web.Session) {
		_, err := session.Token(r.Context())
		if errors.Is(err, web.ErrSignIn) {
			t.Error("an outage isn't a reason to sign in:", err)
		}
		s.app.Deny(rw, r, err)
	})
	if a := b.get("/orders"); a.StatusCode != http.StatusBadGateway {
		t.Errorf("status %d", a.StatusCode)
	}
	network.gone.Store(false)
	err := b.with(func(r *http.Request, session *web.Session) error {
		ctx := r.Context()
		_, err := session.Token(ctx)
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
