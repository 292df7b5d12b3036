//go:build interop

package interop

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

func now() time.Time { return time.Now() }

// TestPeersNotice lets a reader of each library look after each write of ours,
// with the library's own test for "is there something new". Each must see it
// at once.
func TestPeersNotice(t *testing.T) {
	n := 50
	if testing.Short() {
		n = 15
	}
	for _, who := range append([]string{ours}, peers...) {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "cache")
			c, err := opened(path)
			if err != nil {
				t.Fatal(err)
			}
			reader := start(t, who, "read", path)
			reader.says(t, "ready")
			missed := 0
			for i := range n {
				account := fmt.Sprintf("a%d", i)
				if got := reader.ask(t, account); got != "no" {
					t.Fatalf("before %s is there: %s", account, got)
				}
				if err := c.Add(t.Context(), signIn(account)); err != nil {
					t.Fatal(err)
				}
				if got := reader.ask(t, account); got != "yes" {
					missed++
					t.Logf("write %d: %s, then %s", i, got, reader.ask(t, account))
				}
			}
			reader.rest(t)
			if missed > 0 {
				t.Errorf("%s missed %d of %d writes", who, missed, n)
			}
		})
	}
}
