//go:build !windows || windows_sqlite

package main

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/examples/webapp/cloud"
)

// visitor is a browser without scripts at a running app.
type visitor struct {
	*testing.T
	app   string
	cloud *cloud.Cloud
	http  *http.Client
}

// startTest runs the app with its embedded stores, at a cloud of the test's own.
func startTest(t *testing.T) (*visitor, *stores, string) {
	t.Helper()
	c, err := cloud.Start(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	for _, pair := range c.Env() {
		name, value, _ := strings.Cut(pair, "=")
		t.Setenv(name, value)
	}
	dir := t.TempDir()
	server := httptest.NewUnstartedServer(nil)
	base := "https://" + server.Listener.Addr().String()
	t.Setenv("WEBAPP_DATA", dir)
	t.Setenv("DOMAIN", base)
	a := openTest(t)
	server.Config.Handler = a.handler()
	server.StartTLS()
	t.Cleanup(server.Close)
	// Both servers have the same well-known certificate.
	roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	v := &visitor{t, base, c, &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}}
	return v.another(), a.kept, dir
}

// openTest does what run does before it serves.
func openTest(t *testing.T) *app {
	t.Helper()
	s, err := readSettings()
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.provider()
	if err != nil {
		t.Fatal(err)
	}
	kept, err := s.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a, err := newApp(s, p, kept)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(a.web.Close(context.Background()), kept.close()); err != nil {
			t.Error(err)
		}
	})
	return a
}

// another is somebody else's browser.
func (v *visitor) another() *visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		v.Fatal(err)
	}
	return &visitor{v.T, v.app, v.cloud, &http.Client{Jar: jar, Transport: v.http.Transport}}
}

// send answers what a person would see in the end.
func (v *visitor) send(method, address string, form url.Values) (int, http.Header, string) {
	v.Helper()
	if strings.HasPrefix(address, "/") {
		address = v.app + address
	}
	req, err := http.NewRequestWithContext(v.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		v.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := v.http.Do(req)
	if err != nil {
		v.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		v.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(body)
}

func (v *visitor) signIn(username string) {
	v.Helper()
	stay := *v.http
	stay.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := stay.Get(v.app + "/user/login/me")
	if err != nil {
		v.Fatal(err)
	}
	_ = resp.Body.Close()
	answer, err := v.cloud.Entra().Authorize(resp.Header.Get("Location"), username)
	if err != nil {
		v.Fatal(err)
	}
	if status, _, body := v.send(http.MethodPost, "/user/authorized", answer); status != http.StatusOK || !strings.Contains(body, username) {
		v.Fatalf("the sign-in ends with %d\n%s", status, body)
	}
}

var hidden = regexp.MustCompile(`name="csrf_token" value="([^"]+)"`)

func TestApp(t *testing.T) {
	v, kept, dir := startTest(t)
	if status, _, body := v.send(http.MethodGet, "/", nil); status != http.StatusOK || !strings.Contains(body, "/user/login/me") {
		t.Errorf("the start: %d\n%s", status, body)
	}
	v.signIn("alice@contoso.example")
	_, header, body := v.send(http.MethodGet, "/me", nil)
	for _, want := range []string{"Alice", "Grace, Director", "encrypted, in sqlite"} {
		if !strings.Contains(body, want) {
			t.Errorf("the profile lacks %q\n%s", want, body)
		}
	}
	if policy := header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("the policy is %q", policy)
	}
	if _, _, body := v.send(http.MethodGet, "/api/me", nil); body != `{"graph":"alice@contoso.example","session":"alice@contoso.example"}`+"\n" {
		t.Errorf("the API says %s", body)
	}
	if status, header, _ := v.send(http.MethodGet, "/user/photo", nil); status != http.StatusOK || header.Get("Content-Type") != "image/png" {
		t.Errorf("the photo: %d, %v", status, header)
	}
	if status, _, body := v.send(http.MethodGet, "/nowhere", nil); status != http.StatusNotFound || !strings.Contains(body, "There is nothing here") {
		t.Errorf("nowhere: %d\n%s", status, body)
	}
	if !kept.tokens.IsEncrypted() {
		t.Error("the tokens aren't encrypted")
	}
	for _, name := range []string{"key/tokens.key", "data/tokens.db", "data/sessions.db"} {
		fi, err := os.Stat(filepath.Join(dir, name))
		if err != nil || runtime.GOOS != "windows" && fi.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, fi, err)
		}
	}
}

func TestFormsNeedTheirToken(t *testing.T) {
	v, _, _ := startTest(t)
	v.signIn("alice@contoso.example")
	_, _, page := v.send(http.MethodGet, "/sessions", nil)
	match := hidden.FindStringSubmatch(page)
	if match == nil {
		t.Fatalf("no token in\n%s", page)
	}
	for _, path := range []string{"/sessions/end", "/sessions/everywhere"} {
		for _, form := range []url.Values{{}, {"csrf_token": {"x"}}, {"csrf_token": {""}}} {
			if status, _, body := v.send(http.MethodPost, path, form); status != http.StatusForbidden {
				t.Errorf("%s with %v: %d\n%s", path, form, status, body)
			}
		}
		if status, _, _ := v.send(http.MethodGet, path, nil); status != http.StatusNotFound && status != http.StatusMethodNotAllowed {
			t.Errorf("GET %s: %d", path, status)
		}
	}
	big := url.Values{"csrf_token": match[1:], "x": {strings.Repeat("x", maxForm)}}
	if status, _, _ := v.send(http.MethodPost, "/sessions/everywhere", big); status == http.StatusOK {
		t.Error("a form of any size is read")
	}
	if _, _, body := v.send(http.MethodGet, "/sessions", nil); !strings.Contains(body, "this browser") {
		t.Errorf("the session is over\n%s", body)
	}
	if _, _, body := v.send(http.MethodPost, "/sessions/everywhere", url.Values{"csrf_token": match[1:]}); !strings.Contains(body, "Find out who you are") {
		t.Errorf("signed out everywhere, and shown\n%s", body)
	}
}

// TestAssetsAreEverybodys: what shared caches keep must not set cookies, nor
// differ by session.
func TestAssetsAreEverybodys(t *testing.T) {
	v, _, _ := startTest(t)
	v.signIn("alice@contoso.example")
	for _, path := range []string{"/style.css", "/page.js", "/icon.svg"} {
		status, header, _ := v.send(http.MethodGet, path, nil)
		if status != http.StatusOK || !strings.HasPrefix(header.Get("Cache-Control"), "public") {
			t.Errorf("%s: %d, %q", path, status, header.Get("Cache-Control"))
		}
		if header.Get("Vary") != "" || header.Get("Set-Cookie") != "" {
			t.Errorf("%s comes with a session: %v", path, header)
		}
		if header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s has no policy", path)
		}
		if status, _, _ := v.send(http.MethodPost, path, url.Values{}); status == http.StatusOK {
			t.Errorf("%s takes forms", path)
		}
	}
	if status, header, _ := v.send(http.MethodGet, "/me", nil); status != http.StatusOK || header.Get("Cache-Control") != "no-store" {
		t.Errorf("the profile: %d, %q", status, header.Get("Cache-Control"))
	}
}

// TestNobodyHoldsConnections for ever, by sending, reading or doing nothing.
func TestNobodyHoldsConnections(t *testing.T) {
	t.Parallel()
	s := server(nil)
	for name, timeout := range map[string]time.Duration{"header": s.ReadHeaderTimeout, "read": s.ReadTimeout, "write": s.WriteTimeout, "idle": s.IdleTimeout} {
		if timeout <= 0 || timeout > 2*time.Minute {
			t.Errorf("%s: %s", name, timeout)
		}
	}
}

// TestSessionsOfOthers: nobody ends another's session.
func TestSessionsOfOthers(t *testing.T) {
	v, _, _ := startTest(t)
	v.signIn("bob@contoso.example")
	other := v.another()
	other.signIn("alice@contoso.example")
	_, _, page := v.send(http.MethodGet, "/sessions", nil)
	if n := strings.Count(page, "<li>"); n != 1 {
		t.Errorf("%d sessions are listed\n%s", n, page)
	}
	v.send(http.MethodPost, "/sessions/end", url.Values{"csrf_token": hidden.FindStringSubmatch(page)[1:], "session": {"web/session/any"}})
	if _, _, body := other.send(http.MethodGet, "/me", nil); !strings.Contains(body, "Alice") {
		t.Errorf("the other was signed out\n%s", body)
	}
}

func TestInitial(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"ann": "A", " élise": "É", "": "?", "\xff": "?", "李": "李"} {
		if got := initial(name); got != want {
			t.Errorf("%q: %q", name, got)
		}
	}
}
