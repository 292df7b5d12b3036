//go:build interop

package interop

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/msalext/msalext/extensions/tokencache"
)

// trespassers are what peers do to somebody who has the lock.
var trespassers = []struct {
	name    string
	prepare func(t *testing.T, path string) (trespass func())
	stored  []string // the accounts that came in
}{
	{"Node removes the lock file, Python walks in", func(t *testing.T, path string) func() {
		meddler := start(t, node, "meddle", path)
		meddler.says(t, "ready")
		write := writer(t, python, path)
		return func() {
			if got := meddler.ask(t, "now"); got != "read" {
				t.Errorf("node: %s", got)
			}
			write()
			meddler.rest(t)
		}
	}, []string{"meddler", "python-0"}},
	{"Java knows another lock", func(t *testing.T, path string) func() {
		return writer(t, java, path)
	}, []string{"java-0"}},
}

// writer starts a program that signs one account in when it is told to. To
// start takes longer than a lock may be held.
func writer(t *testing.T, who, path string) func() {
	r := start(t, who, "change", path, who, "1", "0")
	r.says(t, "ready")
	return func() {
		r.goOn(t)
		r.says(t, "stored "+who+"-0")
		r.rest(t)
	}
}

// TestTrespass lets peers write while one of ours is in the middle of a change,
// which must notice before it publishes, and start over.
func TestTrespass(t *testing.T) {
	for _, tt := range trespassers {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "cache")
			c, err := opened(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Add(t.Context(), signIn("before")); err != nil {
				t.Fatal(err)
			}
			trespass := tt.prepare(t, path)
			times := 0
			err = c.Modify(t.Context(), func(tc *tokencache.TokenCache) error {
				if times++; times == 1 {
					trespass()
				}
				e := signIn("ours")
				e.Now = now()
				return tc.Add(e)
			})
			if err != nil || times < 2 {
				t.Errorf("after %d attempts: %v", times, err)
			}
			got := accounts(t, path)
			for _, want := range append([]string{"before", "ours"}, tt.stored...) {
				if !slices.Contains(got, want) {
					t.Errorf("%s is lost, there are %q", want, got)
				}
			}
		})
	}
}
