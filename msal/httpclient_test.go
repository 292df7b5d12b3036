package msal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/msal"
)

// sender is a network of a token endpoint alone. Each request is answered by
// the next of answers, and the last of them from then on.
type sender struct {
	mu      sync.Mutex
	answers []func() *http.Response
	forms   []url.Values
	before  func(n int) // the n-th answer, from 1
}

func (s *sender) CloseIdleConnections() {}

func (s *sender) Do(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	if req.ContentLength != int64(len(body)) {
		return nil, fmt.Errorf("%d bytes, and a Content-Length of %d", len(body), req.ContentLength)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	s.forms = append(s.forms, form)
	if s.before != nil {
		s.before(len(s.forms))
	}
	return s.answers[min(len(s.forms), len(s.answers))-1](), nil
}

// tokens lists the refresh tokens that were sent.
func (s *sender) tokens() string {
	var sent []string
	for _, f := range s.forms {
		sent = append(sent, f.Get("refresh_token"))
	}
	return strings.Join(sent, " ")
}

func answer(status int, body string) func() *http.Response {
	return func() *http.Response {
		return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{}}
	}
}

const usedToken = `{"error":"invalid_grant","error_description":"AADSTS70000","suberror":"bad_token"}`

var (
	refuses = answer(http.StatusBadRequest, usedToken)
	accepts = answer(http.StatusOK, `{"access_token":"a"}`)
)

// refreshRequest is what MSAL sends.
func refreshRequest(ctx context.Context, token string) *http.Request {
	body := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}, "client_id": {"client"}, "scope": {"a b"}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://login.microsoftonline.com/t/oauth2/v2.0/token", strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return req
}

// refreshEntry is a refresh token of home's as it is stored.
func refreshEntry(home, secret, more string) string {
	return fmt.Sprintf(`"%s %s %x":{"home_account_id":"%s","environment":"login.microsoftonline.com","credential_type":"RefreshToken","secret":"%s","client_id":"client"%s}`,
		home, secret, more, home, secret, more)
}

func (w *world) holds(entries ...string) {
	w.Helper()
	if err := os.WriteFile(w.path+".new", []byte(`{"RefreshToken":{`+strings.Join(entries, ",")+`}}`), 0o600); err != nil {
		w.Fatal(err)
	}
	// Windows renames over no file that somebody reads.
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		err := os.Rename(w.path+".new", w.path)
		if err == nil {
			return
		}
		if runtime.GOOS != "windows" || time.Now().After(deadline) {
			w.Fatal(err)
		}
	}
}

func TestHTTPClientSendsOnlyANewerTokenOfTheSame(t *testing.T) {
	t.Parallel()
	const family, elsewhere = `,"family_id":"1"`, `,"environment":"login.microsoftonline.us"`
	old := refreshEntry("alice", "old", "")
	for _, c := range []struct {
		name        string
		first, then []string
		sent        string
	}{
		{"rotated", []string{old}, []string{refreshEntry("alice", "new", "")}, "old new"},
		{"rotated under an alias of the host", []string{old}, []string{strings.ReplaceAll(refreshEntry("alice", "new", ""), "microsoftonline.com", "windows.net")}, "old new"},
		{"rotated, in other letter case", []string{old}, []string{strings.ReplaceAll(refreshEntry("ALICE", "new", ""), `"client"`, `"CLIENT"`)}, "old new"},
		{"rotated beside the old one", []string{old}, []string{old, refreshEntry("alice", "new", `,"last_modification_time":"9"`)}, "old new"},
		{"now a family's", []string{old}, []string{old, refreshEntry("alice", "new", family)}, "old new"},
		{"another client of the family rotated it", []string{refreshEntry("alice", "old", family)},
			[]string{strings.ReplaceAll(refreshEntry("alice", "new", family), `"client"`, `"other"`)}, "old new"},
		{"unchanged", []string{old}, []string{old}, "old"},
		{"an older copy is stored", []string{old + "," + refreshEntry("alice", "older", family)}, []string{old + "," + refreshEntry("alice", "older", family)}, "old"},
		{"signed out", []string{old}, nil, "old"},
		{"another person's", []string{old}, []string{refreshEntry("bob", "new", "")}, "old"},
		{"another application's", []string{old}, []string{strings.ReplaceAll(refreshEntry("alice", "new", ""), `"client"`, `"other"`)}, "old"},
		{"another application's, of a family", []string{old}, []string{strings.ReplaceAll(refreshEntry("alice", "new", family), `"client"`, `"other"`)}, "old"},
		{"another family's", []string{refreshEntry("alice", "old", family)},
			[]string{strings.ReplaceAll(refreshEntry("alice", "new", `,"family_id":"2"`), `"client"`, `"other"`)}, "old"},
		{"another cloud's", []string{old}, []string{strings.Replace(refreshEntry("alice", "new", elsewhere), `"environment":"login.microsoftonline.com",`, "", 1)}, "old"},
		{"for an assertion", []string{old}, []string{refreshEntry("alice", "new", `,"user_assertion_hash":"x"`)}, "old"},
		{"nobody knows whose", nil, []string{refreshEntry("alice", "new", "")}, "old"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.holds(c.first...)
			cache, _ := w.cache(nil)
			s := &sender{answers: []func() *http.Response{refuses, accepts}, before: func(int) { w.holds(c.then...) }}
			resp, err := msal.HTTPClient(cache, s).Do(refreshRequest(t.Context(), "old"))
			if err != nil || s.tokens() != c.sent {
				t.Fatalf("sent %q, %v", s.tokens(), err)
			}
			want := usedToken
			if len(s.forms) == 2 {
				want = `{"access_token":"a"}`
				s.forms[0].Set("refresh_token", "new")
				if got := s.forms[1].Encode(); got != s.forms[0].Encode() {
					t.Errorf("sent %s", got)
				}
			}
			if body, err := io.ReadAll(resp.Body); err != nil || string(body) != want {
				t.Errorf("answered %s, %v", body, err)
			}
		})
	}
}

func TestHTTPClientPassesAnswersAsTheyAre(t *testing.T) {
	t.Parallel()
	huge := usedToken[:len(usedToken)-1] + `,"x":"` + strings.Repeat("x", 1<<20) + `"}`
	for _, c := range []struct {
		name   string
		answer func() *http.Response
		body   string
	}{
		{"success", accepts, `{"access_token":"a"}`},
		{"another error", answer(400, ` {"error": "invalid_client"}`), ` {"error": "invalid_client"}`},
		{"success that speaks of invalid_grant", answer(200, usedToken), usedToken},
		{"the server's own", answer(503, usedToken), usedToken},
		{"not JSON", answer(400, "<p>invalid_grant"), "<p>invalid_grant"},
		{"more than an error", answer(400, usedToken+"{}"), usedToken + "{}"},
		{"a megabyte", answer(400, huge), huge},
		{"nothing", answer(400, ""), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.holds(refreshEntry("alice", "old", ""))
			cache, _ := w.cache(nil)
			s := &sender{answers: []func() *http.Response{c.answer}, before: func(int) { w.holds(refreshEntry("alice", "new", "")) }}
			resp, err := msal.HTTPClient(cache, s).Do(refreshRequest(t.Context(), "old"))
			if err != nil || s.tokens() != "old" {
				t.Fatalf("sent %q, %v", s.tokens(), err)
			}
			body, err := io.ReadAll(resp.Body)
			if err != nil || string(body) != c.body || resp.Body.Close() != nil {
				t.Errorf("%d bytes, %v", len(body), err)
			}
		})
	}
}

func TestHTTPClientPassesABrokenAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.holds(refreshEntry("alice", "old", ""))
	cache, _ := w.cache(nil)
	broken := errors.New("connection reset")
	closed := false
	s := &sender{answers: []func() *http.Response{func() *http.Response {
		return &http.Response{StatusCode: 400, Body: body{io.MultiReader(strings.NewReader(`{"err`), iotest.ErrReader(broken)), &closed}}
	}}}
	resp, err := msal.HTTPClient(cache, s).Do(refreshRequest(t.Context(), "old"))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(resp.Body); string(text) != `{"err` || !errors.Is(err, broken) {
		t.Errorf("%q, %v", text, err)
	}
	if err := resp.Body.Close(); err != nil || !closed {
		t.Errorf("closed: %v, %v", closed, err)
	}
}

// body tells whether it was closed.
type body struct {
	io.Reader
	closed *bool
}

func (b body) Close() error { *b.closed = true; return nil }

// echo answers with what it was sent.
type echo struct{ requests int }

func (*echo) CloseIdleConnections() {}

func (e *echo) Do(req *http.Request) (*http.Response, error) {
	e.requests++
	if req.Body == nil {
		return refuses(), nil
	}
	return &http.Response{StatusCode: 400, Body: req.Body}, nil
}

func TestHTTPClientPassesOtherRequestsAsTheyAre(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.holds(refreshEntry("alice", "old", ""))
	cache, _ := w.cache(nil)
	for name, change := range map[string]func(*http.Request) string{
		"GET": func(r *http.Request) string { r.Method, r.Body = http.MethodGet, nil; return usedToken },
		"JSON": func(r *http.Request) string {
			r.Header.Set("Content-Type", "application/json")
			return "grant_type=refresh_token"
		},
		"another grant": func(*http.Request) string { return "grant_type=password&refresh_token=old" },
		"two tokens":    func(*http.Request) string { return "grant_type=refresh_token&refresh_token=old&refresh_token=x" },
		"no token":      func(*http.Request) string { return "grant_type=refresh_token" },
		"not a form":    func(*http.Request) string { return "grant_type=refresh_token&refresh_token=old&%zz" },
		"a megabyte": func(*http.Request) string {
			return "grant_type=refresh_token&refresh_token=old&x=" + strings.Repeat("x", 1<<20)
		},
		"no content type": func(r *http.Request) string { r.Header.Del("Content-Type"); return "grant_type=refresh_token" },
	} {
		e := &echo{}
		req := refreshRequest(t.Context(), "old")
		want := change(req)
		if req.Body != nil {
			req.Body = io.NopCloser(strings.NewReader(want))
		}
		resp, err := msal.HTTPClient(cache, e).Do(req)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, err := io.ReadAll(resp.Body); err != nil || string(got) != want || e.requests != 1 {
			t.Errorf("%s: %d bytes came back, %v, %d requests", name, len(got), err, e.requests)
		}
	}
}

func TestHTTPClientNeedsNoGetBody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.holds(refreshEntry("alice", "old", ""))
	cache, _ := w.cache(nil)
	s := &sender{answers: []func() *http.Response{refuses, accepts}, before: func(int) { w.holds(refreshEntry("alice", "new", "")) }}
	req := refreshRequest(t.Context(), "old")
	req.GetBody = nil
	if resp, err := msal.HTTPClient(cache, s).Do(req); err != nil || resp.StatusCode != 200 || s.tokens() != "old new" {
		t.Errorf("sent %q, %v", s.tokens(), err)
	}
}

// TestHTTPClientKnowsTheTokenMSALRead: MSAL reads the cache, then asks for the
// endpoint, and has the token replaced meanwhile.
func TestHTTPClientKnowsTheTokenMSALRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.holds(refreshEntry("alice", "old", ""))
	cache, _ := w.cache(nil)
	s := &sender{answers: []func() *http.Response{accepts, refuses, accepts}}
	client := msal.HTTPClient(cache, s)
	discovery, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://login.microsoftonline.com/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Do(discovery); err != nil {
		t.Fatal(err)
	}
	w.holds(refreshEntry("alice", "new", ""))
	if resp, err := client.Do(refreshRequest(t.Context(), "old")); err != nil || resp.StatusCode != 200 {
		t.Errorf("sent %q, %v", s.tokens(), err)
	}
}

func TestHTTPClientWaitsOnlyWhereATokenMayCome(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, answer string
		then         []string
		load         error
		waits        bool
	}{
		{"used", usedToken, []string{refreshEntry("alice", "old", "")}, nil, true},
		{"used, says another provider", `{"error":"invalid_grant"}`, []string{refreshEntry("alice", "old", "")}, nil, true},
		{"a person is needed", `{"error":"invalid_grant","suberror":"consent_required"}`, []string{refreshEntry("alice", "old", "")}, nil, false},
		{"signed out", usedToken, nil, nil, false},
		{"the store can't be read", usedToken, []string{refreshEntry("alice", "new", "")}, &backend.Error{Kind: backend.ErrLocked}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := &world{T: t, path: filepath.Join(t.TempDir(), "cache")}
				w.holds(refreshEntry("alice", "old", ""))
				cache, shelf := w.cache(nil)
				s := &sender{answers: []func() *http.Response{answer(400, c.answer)}, before: func(int) { w.holds(c.then...); shelf.fail(c.load, nil) }}
				began := time.Now()
				resp, err := msal.HTTPClient(cache, s).Do(refreshRequest(t.Context(), "old"))
				if err != nil || resp.StatusCode != 400 || s.tokens() != "old" {
					t.Fatalf("sent %q, %v", s.tokens(), err)
				}
				if took := time.Since(began); took > 0 != c.waits || took > time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

func TestHTTPClientStopsWaitingWithItsContext(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.holds(refreshEntry("alice", "old", ""))
	cache, _ := w.cache(nil)
	ctx, cancel := context.WithCancel(t.Context())
	s := &sender{answers: []func() *http.Response{refuses}, before: func(int) { cancel() }}
	resp, err := msal.HTTPClient(cache, s).Do(refreshRequest(ctx, "old"))
	if err != nil || resp.StatusCode != 400 || s.tokens() != "old" {
		t.Fatalf("sent %q, %v", s.tokens(), err)
	}
	if text, err := io.ReadAll(resp.Body); err != nil || string(text) != usedToken {
		t.Errorf("answered %s, %v", text, err)
	}
}

func TestHTTPClientForManyGoroutines(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	var first, then []string
	for i := range 8 {
		first = append(first, refreshEntry(fmt.Sprint("p", i), fmt.Sprint("old", i), ""))
		then = append(then, refreshEntry(fmt.Sprint("p", i), fmt.Sprint("new", i), ""))
	}
	w.holds(first...)
	cache, _ := w.cache(nil)
	s := &refuser{sent: map[string]string{}, before: sync.OnceFunc(func() { w.holds(then...) })}
	client := msal.HTTPClient(cache, s)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			resp, err := client.Do(refreshRequest(t.Context(), fmt.Sprint("old", i)))
			if err != nil || resp.StatusCode != 200 {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if len(s.sent) != 16 {
		t.Errorf("sent %v", s.sent)
	}
}

// refuser refuses tokens that are old, whoever sends them.
type refuser struct {
	mu     sync.Mutex
	sent   map[string]string
	before func()
}

func (*refuser) CloseIdleConnections() {}

func (r *refuser) Do(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	r.before()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent[string(body)] = ""
	if bytes.Contains(body, []byte("refresh_token=old")) {
		return refuses(), nil
	}
	return accepts(), nil
}
