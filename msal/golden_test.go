package msal_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// What MSAL Python wrote for this application and tenant, the last token at
// goldenTime: MSAL refuses one that was cached in the future.
const (
	goldenFile   = "../extensions/tokencache/testdata/msal-python.json"
	goldenApp    = "22222222-2222-2222-2222-222222222222"
	goldenTenant = "11111111-1111-1111-1111-111111111111"
	goldenTime   = 1700000300
)

// fresh is the golden file as if it had just been written.
func fresh(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.FromSlash(goldenFile))
	if err != nil {
		t.Fatal(err)
	}
	var sections map[string]map[string]map[string]any
	if err := json.Unmarshal(data, &sections); err != nil {
		t.Fatal(err)
	}
	past := time.Since(time.Unix(goldenTime, 0))
	for _, token := range sections["AccessToken"] {
		for _, field := range []string{"cached_at", "expires_on", "extended_expires_on", "refresh_on"} {
			if text, ok := token[field].(string); ok {
				token[field] = later(t, text, past)
			}
		}
	}
	data, err = json.Marshal(sections)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func later(t *testing.T, seconds string, by time.Duration) string {
	t.Helper()
	n, err := json.Number(seconds).Int64()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(n + int64(by/time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// asPython opens what Python stored as its own application does, at the host
// that Python signed in at.
func (w *world) asPython(data []byte) (public.Client, confidential.Client) {
	w.Helper()
	if err := os.WriteFile(w.path, data, 0o600); err != nil {
		w.Fatal(err)
	}
	c, _ := w.cache(nil)
	accessor := msal.Accessor(c)
	const authority = "https://login.microsoftonline.com/" + goldenTenant
	person, err := public.New(goldenApp, public.WithAuthority(authority), public.WithHTTPClient(w.srv.CloudClient()), public.WithCache(accessor))
	if err != nil {
		w.Fatal(err)
	}
	credential, err := confidential.NewCredFromSecret("secret")
	if err != nil {
		w.Fatal(err)
	}
	app, err := confidential.New(authority, goldenApp, credential, confidential.WithHTTPClient(w.srv.CloudClient()), confidential.WithCache(accessor))
	if err != nil {
		w.Fatal(err)
	}
	return person, app
}

func TestCacheOfMSALPythonIsSilentHere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	stored := fresh(t)
	client, app := w.asPython(stored)
	for who, token := range map[string]string{
		"alice@example.com": "AT-aaaaaaaa-0000-0000-0000-000000000001-1700000000",
		"bob@example.com":   "AT-bbbbbbbb-0000-0000-0000-000000000002-1700000200",
	} {
		r, err := client.AcquireTokenSilent(t.Context(), scopes, public.WithSilentAccount(w.account(client, who)))
		if err != nil || r.AccessToken != token || r.Metadata.TokenSource != public.TokenSourceCache {
			t.Errorf("%s: got %q from %v, %v", who, r.AccessToken, r.Metadata.TokenSource, err)
		}
	}
	r, err := app.AcquireTokenByCredential(t.Context(), []string{"https://graph.microsoft.com/.default"})
	if err != nil || r.AccessToken != "AT-app" {
		t.Errorf("the application's: got %q, %v", r.AccessToken, err)
	}
	if n := w.srv.Count(msaltest.KindToken); n != 0 {
		t.Errorf("%d token requests", n)
	}
	if got, err := os.ReadFile(w.path); err != nil || !bytes.Equal(got, stored) {
		t.Errorf("reading changed what is stored, %v", err)
	}
}

// TestRefreshTokenOfMSALPythonIsTheNewest: Python stored two for alice, and an
// old one that is redeemed again may revoke them all.
func TestRefreshTokenOfMSALPythonIsTheNewest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	client, _ := w.asPython(fresh(t))
	_, err := client.AcquireTokenSilent(t.Context(), []string{"Calendars.Read"}, public.WithSilentAccount(w.account(client, "alice@example.com")))
	requests := w.srv.Requests(msaltest.KindTokenRefresh)
	if err == nil || !strings.Contains(err.Error(), "invalid_grant") || len(requests) != 1 {
		t.Fatalf("the fake issued no such token, yet: %v, %d requests", err, len(requests))
	}
	if got := requests[0].Form.Get("refresh_token"); got != "RT-alice-1" {
		t.Errorf("sent %q", got)
	}
}
