package web_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
	"github.com/msalext/msalext/msal/web"
)

var picture = append([]byte("\xff\xd8\xff\xe0"), bytes.Repeat([]byte{7}, 300<<10)...)

func TestGraph(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.entra.AddUser(msaltest.User{Username: alice, Name: "Alice Adams", JobTitle: "Engineer", Manager: bob})
	w.entra.AddUser(msaltest.User{Username: bob, Name: "Bob Brown"})
	s := w.serve(nil)
	b := w.browser(s)
	b.signIn(w, "/user/login", alice)
	t.Run("W15", func(t *testing.T) {
		err := b.with(func(r *http.Request, s *web.Session) error {
			ctx := r.Context()
			me, err := s.Graph().Me(ctx)
			if err != nil || me.Name != "Alice Adams" || me.Mail != alice || me.UserName != alice || me.JobTitle != "Engineer" || me.GivenName != "Alice" || me.ID == "" {
				t.Errorf("%+v, %v", me, err)
			}
			boss, err := s.Graph().Manager(ctx)
			if err != nil || boss.Name != "Bob Brown" {
				t.Errorf("%+v, %v", boss, err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	other := w.browser(s)
	other.signIn(w, "/user/login", bob)
	err := other.with(func(r *http.Request, s *web.Session) error {
		ctx := r.Context()
		_, err := s.Graph().Manager(ctx)
		if !errors.Is(err, web.ErrNoSuch) {
			t.Errorf("no manager: %v", err)
		}
		w.entra.Fail(msaltest.KindGraphMe, msaltest.Failure{Status: http.StatusForbidden, Header: http.Header{"Request-Id": {"r-1"}},
			Body: []byte(`{"error":{"code":"Authorization_RequestDenied","message":"bob@fabrikam.example may not"}}`)})
		_, err = s.Graph().Me(ctx)
		if refused, ok := errors.AsType[*web.GraphError](err); !ok || refused.Code != "Authorization_RequestDenied" || refused.ID != "r-1" || strings.Contains(err.Error(), "bob") {
			t.Errorf("refused: %v", err)
		}
		for _, body := range []string{"<html>", "[]", `"x"`, strings.Repeat("[", 100_000), ""} {
			w.entra.Fail(msaltest.KindGraphMe, msaltest.Failure{Status: http.StatusOK, Body: []byte(body)})
			if me, err := s.Graph().Me(ctx); err == nil {
				t.Errorf("%.20q is %+v", body, me)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestRetry: an HTTP client that tries again serves APIs and sign-ins alike.
func TestRetry(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser(w.serve(func(c *web.Config) {
		c.HTTPClient = &http.Client{Transport: msal.Retry(w.entra.Client().Transport, &msal.RetryOptions{Backoff: time.Millisecond})}
	}))
	b.signIn(w, "/user/login", alice)
	busy := msaltest.Failure{Status: http.StatusTooManyRequests}
	w.entra.Fail(msaltest.KindGraphMe, busy, busy)
	t.Run("W16", func(t *testing.T) {
		err := b.with(func(r *http.Request, s *web.Session) error {
			_, err := s.Graph().Me(r.Context())
			return err
		})
		if n := w.entra.Count(msaltest.KindGraphMe); err != nil || n != 3 {
			t.Errorf("%d requests, %v", n, err)
		}
	})
}

func TestPhoto(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := w.serve(nil)
	b := w.browser(s)
	b.signIn(w, "/user/login", alice)
	for kind, status := range map[string]int{
		"image/jpeg": http.StatusOK, "image/png": http.StatusOK, "image/gif": http.StatusOK, "image/webp": http.StatusOK, "IMAGE/PNG; x=y": http.StatusOK,
		"image/svg+xml": http.StatusBadGateway, "text/html": http.StatusBadGateway, "application/octet-stream": http.StatusBadGateway,
		"image/png, text/html": http.StatusBadGateway, "image/": http.StatusBadGateway,
	} {
		t.Run("W13 "+kind, func(t *testing.T) {
			w.entra.AddUser(msaltest.User{Username: alice, Photo: picture, PhotoType: kind})
			a := b.get("/user/photo")
			if a.StatusCode != status {
				t.Fatalf("status %d: %.100s", a.StatusCode, a.body)
			}
			if status != http.StatusOK {
				return
			}
			if want := strings.ToLower(strings.Split(kind, ";")[0]); a.body != string(picture) || a.Header.Get("Content-Type") != want {
				t.Errorf("%d bytes of %s", len(a.body), a.Header.Get("Content-Type"))
			}
			for name, want := range map[string]string{"Cache-Control": "private", "X-Content-Type-Options": "nosniff", "Vary": "Cookie", "Content-Security-Policy": "sandbox"} {
				if got := a.Header.Get(name); !strings.Contains(got, want) {
					t.Errorf("%s: %s", name, got)
				}
			}
		})
	}
	t.Run("W13 none", func(t *testing.T) {
		w.entra.AddUser(msaltest.User{Username: alice})
		if a := b.get("/user/photo"); a.StatusCode != http.StatusNotFound {
			t.Errorf("status %d", a.StatusCode)
		}
	})
	t.Run("W13 far too large", func(t *testing.T) {
		w.entra.Fail(msaltest.KindGraphPhoto, msaltest.Failure{Status: http.StatusOK, Header: http.Header{"Content-Type": {"image/png"}, "Content-Length": {strconv.Itoa(20 << 20)}}, Body: make([]byte, 20<<20)})
		if a := b.get("/user/photo"); a.StatusCode != http.StatusBadGateway {
			t.Errorf("status %d", a.StatusCode)
		}
	})
	t.Run("W13 cut short", func(t *testing.T) {
		short := msaltest.Failure{Status: http.StatusOK, Header: http.Header{"Content-Type": {"image/png"}, "Content-Length": {"5000"}}, Body: make([]byte, 10)}
		w.entra.Fail(msaltest.KindGraphPhoto, slices.Repeat([]msaltest.Failure{short}, 5)...) // package http asks again
		resp, err := b.client.Do(b.request(t.Context(), http.MethodGet, "/user/photo", nil))
		if err == nil {
			_, err = bytes.NewBuffer(nil).ReadFrom(resp.Body)
			_ = resp.Body.Close()
		}
		if err == nil {
			t.Errorf("the browser takes it for whole: status %d", resp.StatusCode)
		}
	})
}

func TestInfo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.entra.AddUser(msaltest.User{Username: alice, Name: `Alice "<script>" A`})
	b := w.browser(w.serve(nil))
	t.Run("W14 nobody", func(t *testing.T) {
		a := b.get("/user/info")
		if a.StatusCode != http.StatusUnauthorized || a.body != `{"authenticated":false,"login":"/user/login"}` || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("status %d: %s", a.StatusCode, a.body)
		}
	})
	b.signIn(w, "/user/login", alice)
	t.Run("W14 somebody", func(t *testing.T) {
		a := b.get("/user/info")
		var info web.Info
		if err := json.Unmarshal([]byte(a.body), &info); err != nil || info.Name != `Alice "<script>" A` || info.Email != alice ||
			info.Tenant != msaltest.TenantID("contoso.example") || info.Object == "" || info.Since == 0 {
			t.Errorf("%s, %v", a.body, err)
		}
		if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Content-Type") != "application/json" || strings.Contains(a.body, "<script") {
			t.Errorf("%v %s", a.Header, a.body)
		}
	})
}
