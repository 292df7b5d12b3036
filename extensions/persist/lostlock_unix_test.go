//go:build unix

package persist

import (
	"bytes"
	"errors"
	"os"
	"testing"
)

// A peer that removes our lock file may write at the same time: what was read
// is stale.
func TestLostLockStartsAgain(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, s := onDisk(t, path)
	runs := 0
	err := p.Update(t.Context(), func(old []byte) ([]byte, error) {
		if runs++; runs == 1 {
			return []byte("lost"), errors.Join(os.Remove(path+".lockfile"), os.WriteFile(path, []byte("peer "), 0o600))
		}
		return append(bytes.Clone(old), "ours"...), nil
	})
	if _, saves := s.counts(); err != nil || load(t, p) != "peer ours" || runs != 2 || saves != 1 {
		t.Errorf("%q after %d runs and %d saves, %v", load(t, p), runs, saves, err)
	}
}
