package msal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/msal/msaltest"
)

// poison is what other programs store, and what MSAL for Go refuses with all
// that lies beside it, or writes back as something that nobody can read.
var poison = []struct{ name, section, key, entry string }{
	{"null for a time", "AccessToken", "p", `{"home_account_id":"x.y","environment":"e","client_id":"c","expires_on":null}`},
	{"no text for a time", "AccessToken", "p", `{"home_account_id":"x.y","environment":"e","client_id":"c","cached_at":""}`},
	{"a fraction of a second", "AccessToken", "p", `{"home_account_id":"x.y","environment":"e","client_id":"c","extended_expires_on":1.5}`},
	{"a null entry", "RefreshToken", "p", `null`},
	{"an entry that is a list", "IdToken", "p", `[]`},
	{"an empty entry", "Account", "p", `{}`},
	{"an entry of empty fields", "Account", "p", `{"home_account_id":"","realm":null}`},
	{"a control character", "Account", "p\u007f\u0001", `{"home_account_id":"x.y","environment":"e","realm":"r"}`},
	{"one in a field's name", "Account", "p", `{"home_account_id":"x.y","environment":"e","realm":"r","n\u0000":"v"}`},
	{"a field of MSAL's struct", "RefreshToken", "p", `{"home_account_id":"x.y","environment":"e","client_id":"c","secret":"s","Secret":"t"}`},
	{"a section of its struct", "AccessTokens", "p", `{"secret":1}`},
	{"additional fields", "Account", "p", `{"home_account_id":"x.y","environment":"e","realm":"r","AdditionalFields":{"a":1}}`},
}

type sections map[string]map[string]json.RawMessage

func (w *world) sections() (all sections) {
	w.Helper()
	if err := json.Unmarshal(w.stored(), &all); err != nil {
		w.Fatal(err)
	}
	return all
}

func TestPoisonLocksNobodyOut(t *testing.T) {
	t.Parallel()
	for _, c := range poison {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.signIn(w.client(), alice)
			all := w.sections()
			if all[c.section] == nil {
				all[c.section] = map[string]json.RawMessage{}
			}
			all[c.section][c.key] = json.RawMessage(c.entry)
			w.storeJSON(all)
			client := w.client()
			r, err := client.AcquireTokenSilent(t.Context(), scopes, public.WithSilentAccount(w.account(client, alice)))
			if err != nil || r.Metadata.TokenSource != public.TokenSourceCache {
				t.Errorf("silent: %v from %v", err, r.Metadata.TokenSource)
			}
			w.signIn(client, bob)
			if got := string(w.sections()[c.section][c.key]); got != c.entry {
				t.Errorf("it is stored as %q", got)
			}
			if got := w.people(); !strings.Contains(got, alice+" "+bob) {
				t.Errorf("signed in: %q", got)
			}
		})
	}
}

// TestSectionThatIsNull: without application metadata MSAL for Go finds no
// refresh token, and with the access token it needs none.
func TestSectionThatIsNull(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.signIn(w.client(), alice)
	all := w.sections()
	all["AppMetadata"] = nil
	w.storeJSON(all)
	client := w.client()
	if _, err := client.AcquireTokenSilent(t.Context(), scopes, public.WithSilentAccount(w.account(client, alice))); err != nil {
		t.Error(err)
	}
	w.signIn(client, bob)
	if got := w.people(); got != alice+" "+bob || len(w.sections()["AppMetadata"]) != 1 {
		t.Errorf("signed in: %q", got)
	}
}

// stored is the file as it is.
func (w *world) stored() []byte {
	w.Helper()
	data, err := os.ReadFile(w.path)
	if err != nil {
		w.Fatal(err)
	}
	return data
}

func (w *world) store(data []byte) {
	w.Helper()
	if err := os.WriteFile(w.path, data, 0o600); err != nil {
		w.Fatal(err)
	}
}

func (w *world) storeJSON(v any) {
	w.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		w.Fatal(err)
	}
	w.store(data)
}

func TestByteOrderMark(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.signIn(w.client(), alice)
	w.store(append([]byte("\ufeff"), w.stored()...))
	client := w.client()
	if _, err := client.AcquireTokenSilent(t.Context(), scopes, public.WithSilentAccount(w.account(client, alice))); err != nil {
		t.Error(err)
	}
	w.signIn(client, bob)
	if got := w.people(); got != alice+" "+bob || !json.Valid(w.stored()) {
		t.Errorf("signed in: %q", got)
	}
}

// TestBytesBehindTheCache: a peer wrote a shorter cache over a longer one.
func TestBytesBehindTheCache(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.signIn(w.client(), alice)
	whole := w.stored()
	torn := append(bytes.Clone(whole), `cret":"x"}}}`...)
	w.store(torn)
	var mu sync.Mutex
	told := 0
	cache, _ := w.cache(&persist.CacheOptions{OnError: func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if told++; !errors.Is(err, backend.ErrCorrupt) {
			t.Errorf("told: %v", err)
		}
	}})
	client := w.clientOf(cache)
	account := w.account(client, alice)
	if r, err := client.AcquireTokenSilent(t.Context(), scopes, public.WithSilentAccount(account)); err != nil || r.Metadata.TokenSource != public.TokenSourceCache {
		t.Errorf("silent: %v from %v", err, r.Metadata.TokenSource)
	}
	if told != 1 {
		t.Errorf("OnError was told %d times of what was read", told)
	}
	if r := w.signIn(client, bob); r.AccessToken == "" || told < 2 {
		t.Errorf("a token that is issued: %q; told %d times", r.AccessToken, told)
	}
	if got := names(t, client); got != alice+" "+bob {
		t.Errorf("signed in here: %q", got)
	}
	if err := client.RemoveAccount(t.Context(), account); !errors.Is(err, backend.ErrCorrupt) {
		t.Errorf("a sign-out gave %v", err)
	}
	if !bytes.Equal(w.stored(), torn) {
		t.Error("what can't be read was overwritten")
	}
	w.store(whole)
	if err := cache.Close(t.Context()); err != nil || w.people() != bob {
		t.Errorf("once they are gone: %v, signed in: %q", err, w.people())
	}
}

// TestPeerWritesInPlace has a peer write caches of different lengths, each in
// place, without a lock and without truncating first, while MSAL reads and
// writes. Whatever it meets in between is no error.
func TestPeerWritesInPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, &msaltest.Options{ExpiresIn: msaltest.DefaultExpiresIn})
	client := w.client()
	account := w.signIn(client, alice).Account
	short := w.stored()
	all := w.sections()
	all["Other"] = map[string]json.RawMessage{"k": json.RawMessage(`"` + strings.Repeat("v", 5000) + `"`)}
	w.storeJSON(all)
	long := w.stored()
	f, err := os.OpenFile(w.path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for round := range 30 {
		for _, data := range [][]byte{long, short} {
			_, err1 := f.WriteAt(data[:len(data)/2], 0)
			cache, _ := w.cache(&persist.CacheOptions{OnError: func(error) {}})
			reader := w.clientOf(cache)
			done := make(chan error, 1)
			go func() {
				_, err := reader.AcquireTokenSilent(t.Context(), scopes, public.WithSilentAccount(account))
				done <- err
			}()
			_, err2 := f.WriteAt(data[len(data)/2:], int64(len(data)/2))
			if err := <-done; err != nil || err1 != nil || err2 != nil {
				t.Fatalf("round %d: %v %v %v", round, err, err1, err2)
			}
			if err := f.Truncate(int64(len(data))); err != nil {
				t.Fatal(err)
			}
		}
	}
}
