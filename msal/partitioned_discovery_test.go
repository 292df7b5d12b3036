package msal_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	msalcache "github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// TestClientsShareDiscovery: a client for each user asks the identity provider
// no more than one client for all.
func TestClientsShareDiscovery(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	credential, err := confidential.NewCredFromSecret("secret")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		http msal.Doer
		want int
	}{{"by themselves", w.srv.CloudClient(), 10}, {"shared", msal.SharedDiscovery(w.srv.CloudClient()), 1}} {
		clients := msal.Partitioned(w.app(nil, nil).p, nil, func(cache msalcache.ExportReplace) (confidential.Client, error) {
			return confidential.New("https://login.microsoftonline.com/contoso.example", "web", credential,
				confidential.WithHTTPClient(c.http), confidential.WithCache(cache))
		}, nil)
		before := w.srv.Counts()
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				client, err := clients.Client(msal.WithPartition(t.Context(), fmt.Sprint(c.name, i)))
				if err == nil {
					_, err = client.AcquireTokenByCredential(t.Context(), appScopes)
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		after := w.srv.Counts()
		for _, kind := range []msaltest.Kind{msaltest.KindDiscovery, msaltest.KindInstance} {
			if n := after[kind] - before[kind]; n != c.want {
				t.Errorf("%s: %d requests of kind %s, want %d", c.name, n, kind, c.want)
			}
		}
		if n := after[msaltest.KindTokenClient] - before[msaltest.KindTokenClient]; n != 10 {
			t.Errorf("%s: %d token requests", c.name, n)
		}
	}
}

// scripted answers requests from a function, and counts them.
type scripted struct {
	mu     sync.Mutex
	asked  int
	answer func(n int, req *http.Request) (*http.Response, error)
}

func (s *scripted) CloseIdleConnections() {}

func (s *scripted) Do(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.asked++
	n := s.asked
	s.mu.Unlock()
	return s.answer(n, req)
}

func respond(status int, body string) (*http.Response, error) {
	return &http.Response{StatusCode: status, Header: http.Header{"X-Test": {"1"}}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

// known is enough of a document to be one.
const known = `{"token_endpoint":"https://login.example/t/oauth2/v2.0/token"}`

const openID = "https://login.example/t/v2.0/.well-known/openid-configuration"

func get(t *testing.T, d msal.Doer, method, url string) (int, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := d.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

func TestWhatDiscoveryRemembers(t *testing.T) {
	t.Parallel()
	unreachable := errors.New("unreachable")
	large := `{"token_endpoint":"` + strings.Repeat("x", 1<<20+1) + `"}`
	for _, c := range []struct {
		name, method, url string
		answer            func(n int) (*http.Response, error)
		asked             int // by three requests
	}{
		{"an answer", "GET", openID, func(int) (*http.Response, error) { return respond(200, known) }, 1},
		{"the other document", "GET", "https://login.example/common/discovery/instance?x=1", func(int) (*http.Response, error) {
			return respond(200, `{"tenant_discovery_endpoint":"`+openID+`"}`)
		}, 1},
		{"no error", "GET", openID, func(n int) (*http.Response, error) {
			if n == 1 {
				return nil, unreachable
			}
			return respond(200, known)
		}, 2},
		{"no refusal", "GET", openID, func(int) (*http.Response, error) { return respond(503, "busy") }, 3},
		{"nothing that is too large", "GET", openID, func(int) (*http.Response, error) { return respond(200, large) }, 3},
		{"no page of a proxy", "GET", openID, func(int) (*http.Response, error) { return respond(200, "<html>Sign in to the network</html>") }, 3},
		{"no other JSON", "GET", openID, func(int) (*http.Response, error) { return respond(200, `{"error":"busy"}`) }, 3},
		{"no endpoint that is empty", "GET", openID, func(int) (*http.Response, error) { return respond(200, `{"token_endpoint":""}`) }, 3},
		{"no tokens", "POST", "https://login.example/t/oauth2/v2.0/token", func(int) (*http.Response, error) { return respond(200, "token") }, 3},
		{"no posted discovery", "POST", openID, func(int) (*http.Response, error) { return respond(200, known) }, 3},
		{"nothing else", "GET", "https://graph.example/me", func(int) (*http.Response, error) { return respond(200, "me") }, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &scripted{answer: func(n int, _ *http.Request) (*http.Response, error) { return c.answer(n) }}
			d := msal.SharedDiscovery(s)
			for range 3 {
				status, body, err := get(t, d, c.method, c.url)
				resp, wantErr := c.answer(s.asked)
				if wantErr != nil {
					if !errors.Is(err, wantErr) {
						t.Errorf("got %v", err)
					}
					continue
				}
				want, _ := io.ReadAll(resp.Body)
				if err != nil || status != resp.StatusCode || body != string(want) {
					t.Errorf("got %d, %.20q, %v", status, body, err)
				}
			}
			if s.asked != c.asked {
				t.Errorf("asked %d times, want %d", s.asked, c.asked)
			}
		})
	}
}

func TestDiscoveryIsAskedAgainAfterADay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{answer: func(n int, _ *http.Request) (*http.Response, error) {
			return respond(200, fmt.Sprintf(`{"token_endpoint":"%d"}`, n))
		}}
		d := msal.SharedDiscovery(s)
		for i, want := range []string{`"1"`, `"1"`, `"2"`} {
			if _, body, err := get(t, d, "GET", openID); err != nil || !strings.Contains(body, want) {
				t.Errorf("request %d: %q, %v", i, body, err)
			}
			time.Sleep(23 * time.Hour)
		}
	})
}

// TestDiscoveryWaitsNoLongerThanItsContext, when another asks already.
func TestDiscoveryWaitsNoLongerThanItsContext(t *testing.T) {
	t.Parallel()
	release, asked := make(chan struct{}), make(chan struct{})
	s := &scripted{answer: func(int, *http.Request) (*http.Response, error) {
		close(asked)
		<-release
		return respond(200, known)
	}}
	d := msal.SharedDiscovery(s)
	done := make(chan error)
	go func() { _, _, err := get(t, d, "GET", openID); done <- err }()
	<-asked
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", openID, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Do(req); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
