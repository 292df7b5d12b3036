package msaltest_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"

	"github.com/msalext/msalext/msal/msaltest"
)

// snapshot is a cache accessor that keeps MSAL's cache in a byte slice.
type snapshot struct {
	mu   sync.Mutex
	data []byte
}

func (s *snapshot) Replace(_ context.Context, to cache.Unmarshaler, _ cache.ReplaceHints) error {
	return to.Unmarshal(s.bytes())
}

func (s *snapshot) Export(_ context.Context, from cache.Marshaler, _ cache.ExportHints) error {
	data, err := from.Marshal()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data = data
	return err
}

func (s *snapshot) bytes() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.data
}

// postToken sends a token request that MSAL would not send.
func postToken(t *testing.T, srv *msaltest.Server, fields map[string]string) (int, map[string]any) {
	t.Helper()
	return post(t, srv.Client(), srv.Authority()+"/oauth2/v2.0/token", formOf(fields).Encode())
}

func formOf(fields map[string]string) url.Values {
	form := url.Values{}
	for name, value := range fields {
		form.Set(name, value)
	}
	return form
}

// postRaw is postToken for answers that aren't JSON.
func postRaw(t *testing.T, srv *msaltest.Server, fields map[string]string) (*http.Response, string) {
	t.Helper()
	resp, data := postForm(t, srv.Client(), srv.Authority()+"/oauth2/v2.0/token", formOf(fields).Encode())
	return resp, string(data)
}

func postForm(t *testing.T, client *http.Client, address, body string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(deadline(t), http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, data
}

func post(t *testing.T, client *http.Client, address, body string) (int, map[string]any) {
	t.Helper()
	resp, data := postForm(t, client, address, body)
	var answer map[string]any
	if err := json.Unmarshal(data, &answer); err != nil {
		t.Fatalf("answer %q: %v", data, err)
	}
	return resp.StatusCode, answer
}
