package msal_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/envelope"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
	"github.com/msalext/msalext/plugins/file"
)

// TestStoreFeatures is what MSAL Extensions for Python have, with the ids of
// docs/msal.md.
func TestStoreFeatures(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*world){
		"A48 a file that is written once":  cacheInAFile,
		"X1 PersistedTokenCache":           persistedCache,
		"X2 build_persistence":             persistenceBuilt,
		"X6 FilePersistence, is_encrypted": filePersistence,
		"X7 a cache for each session":      cachePerSession,
		"S5 a cache that is encrypted":     encryptedCache,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(newWorld(t, nil))
		})
	}
}

// cacheInAFile: MSAL Python's recipe saves the file if the state has changed.
func cacheInAFile(w *world) {
	c, _ := w.cache(nil)
	p, who := w.signedInPublic(w.options(c))
	stored, err := os.Stat(w.path)
	if err != nil {
		w.Fatal(err)
	}
	silently(w.T, p, who)
	after, err := os.Stat(w.path)
	if err != nil || !os.SameFile(stored, after) || !stored.ModTime().Equal(after.ModTime()) {
		w.Error("a call that changed nothing wrote the file")
	}
	other, _ := w.cache(nil)
	silently(w.T, w.public(w.options(other)), who)
	if n := w.srv.Count(msaltest.KindToken); n != 1 {
		w.Errorf("%d tokens were asked for", n)
	}
}

// persistedCache: each sees what others stored, and nobody's changes are lost.
func persistedCache(w *world) {
	one, _ := w.cache(nil)
	two, _ := w.cache(nil)
	first, second := w.public(w.options(one)), w.public(w.options(two))
	w.signIn(first.MSAL(), alice)
	w.signIn(second.MSAL(), bob)
	for _, p := range []*msal.Public{first, second} {
		if got := names(w.T, p.MSAL()); got != alice+" "+bob {
			w.Errorf("signed in: %s", got)
		}
	}
}

// persistenceBuilt steps down to plaintext where the application allows it, and
// to nothing where it doesn't.
func persistenceBuilt(w *world) {
	missing := &extensions.Options{Candidates: []string{"no-such-store"}, InProcess: []backend.Backend{file.Backend()}}
	_, err := extensions.BuildPersistence(w.Context(), w.path, missing)
	if _, ok := errors.AsType[*extensions.SelectionError](err); !ok {
		w.Errorf("without a fallback: %v", err)
	}
	missing.FallbackToPlaintext = true
	p, err := extensions.BuildPersistence(w.Context(), w.path, missing)
	if err != nil {
		w.Fatal(err)
	}
	defer p.Close()
	if p.Backend() != "file" || p.IsEncrypted() {
		w.Errorf("%s was built", p.Backend())
	}
	w.signsInWith(p)
}

// signsInWith has somebody sign in, and be signed in in another process.
func (w *world) signsInWith(p *extensions.Persistence) {
	w.Helper()
	_, who := w.signedInPublic(w.options(persist.NewPersistedTokenCache(p, nil)))
	silently(w.T, w.public(w.options(persist.NewPersistedTokenCache(p, nil))), who)
	if n := w.srv.Count(msaltest.KindToken); n != 1 {
		w.Errorf("%d tokens were asked for", n)
	}
}

func filePersistence(w *world) {
	p, err := extensions.Open(w.Context(), "file", w.path, &extensions.Options{InProcess: []backend.Backend{file.Backend()}})
	if err != nil {
		w.Fatal(err)
	}
	defer p.Close()
	if p.IsEncrypted() {
		w.Error("a plain file says that it is encrypted")
	}
	w.signsInWith(p)
	if !bytes.Contains(w.stored(), []byte("refresh-token")) {
		w.Error("the file isn't the cache")
	}
}

func encryptedCache(w *world) {
	key := filepath.Join(w.TempDir(), "key")
	p, err := extensions.Open(w.Context(), "file", w.path, &extensions.Options{
		InProcess: []backend.Backend{file.Backend()}, Envelope: &envelope.File{Path: key, Create: true},
	})
	if err != nil {
		w.Fatal(err)
	}
	defer p.Close()
	w.signsInWith(p)
	if !p.IsEncrypted() || bytes.Contains(w.stored(), []byte("refresh-token")) || bytes.Contains(w.stored(), []byte(alice)) {
		w.Error("it can be read")
	}
}

// cachePerSession: each session's tokens lie in an item of their own.
func cachePerSession(w *world) {
	p, err := extensions.Open(w.Context(), "file", w.path, &extensions.Options{InProcess: []backend.Backend{file.Backend()}})
	if err != nil {
		w.Fatal(err)
	}
	defer p.Close()
	clients := msal.Partitioned(p, nil, func(a cache.ExportReplace) (public.Client, error) { return w.clientWith(a), nil }, nil)
	defer clients.Close(context.Background())
	for session, who := range map[string]string{"session/1": alice, "session/2": bob} {
		client, err := clients.Client(msal.WithPartition(w.Context(), session))
		if err != nil {
			w.Fatal(err)
		}
		w.signIn(client, who)
		if got := names(w.T, client); got != who {
			w.Errorf("%s: signed in: %s", session, got)
		}
	}
}
