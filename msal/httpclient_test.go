package msal_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

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
