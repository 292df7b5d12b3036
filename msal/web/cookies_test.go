package web_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/msalext/msalext/msal/web"
)

func TestCookies(t *testing.T) {
	t.Parallel()
	own := scs.New()
	own.Cookie = scs.SessionCookie{Name: "shop", Domain: "example", Path: "/shop", SameSite: http.SameSiteNoneMode}
	for name, c := range map[string]struct {
		change func(*web.Config)
		cookie string
	}{
		"W1 by default":       {nil, "__Host-session"},
		"W1 with a name":      {func(c *web.Config) { c.CookieName = "orders" }, "__Host-orders"},
		"W1 a manager's":      {func(c *web.Config) { c.Sessions, c.Store = own, nil }, "__Host-shop"},
		"W1 name with prefix": {func(c *web.Config) { c.CookieName = "__Host-x" }, "__Host-x"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			b := w.browser(w.serve(c.change))
			begun := b.get("/user/login")
			flow := begun.Cookies()
			if len(flow) != 1 || len(begun.Cookies()) != 1 {
				t.Fatalf("cookies %v", flow)
			}
			checkCookie(t, flow[0], c.cookie+"-flow-", http.SameSiteNoneMode)
			if flow[0].MaxAge != 600 {
				t.Errorf("a flow's cookie lives for %d s", flow[0].MaxAge)
			}
			done := b.fromEntra(b.approve(w, begun.Header.Get("Location"), alice))
			session := sessionCookieOf(t, done, c.cookie)
			checkCookie(t, session, c.cookie, http.SameSiteLaxMode)
			if len(session.Value) != 43 {
				t.Errorf("the session cookie has %d characters", len(session.Value))
			}
			if !strings.Contains(strings.Join(done.Header.Values("Vary"), ","), "Cookie") {
				t.Error("no Vary: Cookie")
			}
		})
	}
}

func checkCookie(t *testing.T, c *http.Cookie, prefix string, same http.SameSite) {
	t.Helper()
	if !strings.HasPrefix(c.Name, prefix) || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != same || len(c.Raw) > 4096 {
		t.Errorf("cookie %s", c.Raw)
	}
}

func sessionCookieOf(t *testing.T, a answer, name string) *http.Cookie {
	t.Helper()
	for _, c := range a.Cookies() {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no cookie %s among %v", name, a.Cookies())
	return nil
}

// TestNoCookieForNothing: who only looks has no session.
func TestNoCookieForNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser(w.serve(nil))
	for _, path := range []string{"/", "/user/info", "/user/logout", "/user/photo"} {
		if a := b.get(path); len(a.Cookies()) != 0 {
			t.Errorf("%s sets %v", path, a.Cookies())
		}
	}
}

// TestFixation: whoever knows the id of a session before the sign-in knows
// nothing after it.
func TestFixation(t *testing.T) {
	t.Parallel()
	// A form from another site comes without the session, a link from there with
	// it.
	for _, mode := range []string{"form_post", "query"} {
		t.Run("W11 "+mode, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			s := w.serve(func(c *web.Config) { c.ResponseMode = mode })
			s.page("/put", func(_ http.ResponseWriter, r *http.Request, _ *web.Session) {
				s.app.Sessions().Put(r.Context(), "x", "y")
			})
			attacker, victim := w.browser(s), w.browser(s)
			attacker.get("/put")
			planted := attacker.cookie(sessionCookie)
			if planted == "" {
				t.Fatal("no session to plant")
			}
			victim.plant(planted)
			victim.signIn(w, "/user/login", alice)
			first := victim.cookie(sessionCookie)
			if first == planted || attacker.info().Authenticated || !victim.info().Authenticated {
				t.Errorf("renewed: %v", first != planted)
			}
			if all, err := w.store.(scs.IterableStore).All(); len(all) != 1 || err != nil {
				t.Errorf("%d sessions, %v", len(all), err)
			}
			victim.signIn(w, "/user/login", alice)
			attacker.plant(first)
			if attacker.info().Authenticated {
				t.Error("an earlier session is still good after a second sign-in")
			}
		})
	}
}

// plant gives a browser a session id.
func (b *browser) plant(id string) {
	b.Helper()
	b.jar.SetCookies(mustURL(b.T, b.site.URL), []*http.Cookie{{Name: sessionCookie, Value: id, Path: "/", Secure: true}})
}

func TestMadeUpSessionIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := w.serve(nil)
	s.page("/put", func(_ http.ResponseWriter, r *http.Request, _ *web.Session) {
		s.app.Sessions().Put(r.Context(), "x", "y")
	})
	for _, id := range []string{"x", strings.Repeat("a", 43), strings.Repeat("a", 4000), "../../x", "*"} {
		b := w.browser(s)
		b.plant(id)
		b.get("/put")
		if got := b.cookie(sessionCookie); got == id || len(got) != 43 {
			t.Errorf("%.50q became %q", id, got)
		}
	}
}

// TestEndedSessionStaysEnded: a request that was under way when somebody signed
// out writes its session after that.
func TestEndedSessionStaysEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := w.serve(nil)
	arrived, leave := make(chan struct{}), make(chan struct{})
	s.page("/slow", func(rw http.ResponseWriter, r *http.Request, _ *web.Session) {
		s.app.Sessions().Put(r.Context(), "x", "y")
		close(arrived)
		<-leave
		fmt.Fprint(rw, "done")
	})
	b := w.browser(s)
	b.signIn(w, "/user/login", alice)
	kept := b.cookie(sessionCookie)
	done := make(chan answer)
	go func() { done <- b.get("/slow") }()
	<-arrived
	b.signOut()
	close(leave)
	<-done
	b.plant(kept)
	if b.info().Authenticated {
		t.Error("the session is back")
	}
	for stored, err := range s.app.Each(t.Context()) {
		t.Errorf("%+v, %v", stored, err)
	}
}

// counting counts what is written.
type counting struct {
	scs.Store

	mu      sync.Mutex
	commits int
	broken  error
}

func (c *counting) Commit(token string, b []byte, expiry time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.commits++
	if c.broken != nil {
		return c.broken
	}
	return c.Store.Commit(token, b, expiry)
}

func (c *counting) Find(token string) ([]byte, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return nil, false, c.broken
	}
	return c.Store.Find(token)
}

func TestSessionsAreSeldomWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	store := &counting{Store: w.store}
	b := w.browser(w.serve(func(c *web.Config) { c.Store = store }))
	b.signIn(w, "/user/login", alice)
	before := store.commits
	for range 20 {
		b.get("/")
	}
	if n := store.commits - before; n != 0 {
		t.Errorf("W5: %d writes for 20 requests that changed nothing", n)
	}
}

func TestSessionStoreFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	store := &counting{Store: w.store}
	b := w.browser(w.serve(func(c *web.Config) { c.Store = store }))
	form := b.approve(w, b.begin("/user/login"), alice)
	store.broken = errors.New("the disk is gone")
	a := b.fromEntra(form)
	if a.StatusCode != http.StatusServiceUnavailable || !strings.Contains(a.body, "right now") || strings.Contains(a.body, "disk") || a.Header.Get("Location") != "" {
		t.Errorf("status %d: %s", a.StatusCode, a.body)
	}
	if b.cookie(sessionCookie) != "" {
		t.Error("a cookie of a session that isn't stored")
	}
	b.plant("x")
	if a := b.get("/"); a.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("status %d", a.StatusCode)
	}
}

// TestWithoutWrap: a handler outside finds nobody, and nothing panics.
func TestWithoutWrap(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := w.serve(nil)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	session := s.app.Session(r)
	if _, err := session.Token(t.Context()); session.SignedIn() || session.Claims() != nil || !errors.Is(err, web.ErrSignIn) {
		t.Errorf("%v", err)
	}
	r.Body = http.NoBody
	if session.CheckCSRF(r) {
		t.Error("nobody's form was taken")
	}
	if err := session.SignOut(context.Background()); err != nil {
		t.Error(err)
	}
}
