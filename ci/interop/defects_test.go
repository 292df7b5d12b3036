//go:build interop

package interop

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/extensions/tokencache"
	"github.com/msalext/msalext/plugins/file"
)

// TestOfficialExtensionLosesAChange: two processes read, and then both write.
// MSAL does so whenever two people sign in at once.
func TestOfficialExtensionLosesAChange(t *testing.T) {
	t.Parallel()
	if got := defectOfOfficial(t, "lose"); got != "second" {
		t.Errorf("of first and second the official extension keeps %q; it has been mended", got)
	}
	path := filepath.Join(t.TempDir(), "cache")
	ctx := t.Context()
	var caches [2]*persist.PersistedTokenCache
	var views [2]persist.View
	for i := range caches {
		c, err := opened(path)
		if err != nil {
			t.Fatal(err)
		}
		if views[i], err = c.View(ctx); err != nil {
			t.Fatal(err)
		}
		caches[i] = c
	}
	for i, account := range []string{"first", "second"} {
		var whole tokencache.TokenCache
		if err := whole.Add(answered(account)); err != nil {
			t.Fatal(err)
		}
		if _, err := caches[i].Merge(ctx, views[i], whole.Serialize(), tokencache.OpAcquire); err != nil {
			t.Fatal(err)
		}
	}
	if got := accountsAt(t, path); got != "first second" {
		t.Errorf("ours keeps %q", got)
	}
}

// TestOfficialExtensionStaysBehind: somebody writes between a read and the look
// at the time of the last write. With it the old data counts as new, until
// somebody writes once more.
func TestOfficialExtensionStaysBehind(t *testing.T) {
	t.Parallel()
	if got, want := defectOfOfficial(t, "stale"), "first\nfirst\nfirst\nfirst second"; got != want {
		t.Errorf("the official extension sees\n%s\nafter\n%s\nwas expected; it has been mended", got, want)
	}
	path := filepath.Join(t.TempDir(), "cache")
	other, err := opened(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Add(t.Context(), answered("first")); err != nil {
		t.Fatal(err)
	}
	c := backend.Config{Location: path, Path: path}
	store, err := file.Backend().Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	behind := persist.NewPersistedTokenCache(persist.New("file", &interrupted{Store: store, then: func() {
		if err := other.Add(context.Background(), answered("second")); err != nil {
			t.Error(err)
		}
	}}, c, nil), nil)
	for i, want := range []string{"first", "first second"} {
		if got := accountsOf(t, behind); got != want {
			t.Errorf("look %d: ours sees %q, not %q", i+1, got, want)
		}
	}
}

// interrupted lets something happen once, right after it was read.
type interrupted struct {
	backend.Store
	then func()
}

func (i *interrupted) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	blob, err := i.Store.Load(ctx, key, have)
	if do := i.then; do != nil {
		i.then = nil
		do()
	}
	return blob, err
}

func defectOfOfficial(t *testing.T, what string) string {
	t.Helper()
	cmd := command(t, official, what, filepath.Join(t.TempDir(), "cache"))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// answered is what a token endpoint answers, now.
func answered(account string) tokencache.Event {
	e := signIn(account)
	e.Now = now()
	return e
}

func accountsAt(t *testing.T, path string) string {
	t.Helper()
	c, err := opened(path)
	if err != nil {
		t.Fatal(err)
	}
	return accountsOf(t, c)
}

func accountsOf(t *testing.T, c *persist.PersistedTokenCache) string {
	t.Helper()
	accounts, err := c.Accounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, a := range accounts {
		names = append(names, a.Username)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}
