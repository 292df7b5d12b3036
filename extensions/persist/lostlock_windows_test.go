package persist

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/windows"
)

// While the lock is held, the system lets nobody remove its file, and an update
// never has to start again for that.
func TestHeldLockCantBeRemoved(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, _ := onDisk(t, path)
	err := p.Update(t.Context(), func([]byte) ([]byte, error) {
		if err := os.Remove(path + ".lockfile"); !isSharingViolation(err) {
			t.Errorf("removing it: %v", err)
		}
		if err := os.Rename(path+".lockfile", path+".moved"); !isSharingViolation(err) {
			t.Errorf("moving it away: %v", err)
		}
		return []byte("ours"), nil
	})
	if err != nil || load(t, p) != "ours" {
		t.Errorf("%q, %v", load(t, p), err)
	}
}

func isSharingViolation(err error) bool { return errors.Is(err, windows.ERROR_SHARING_VIOLATION) }
