package atomicfile_test

import (
	"path/filepath"
	"testing"
)

// TestLetterCaseOfALocation: it doesn't count on Windows.
func TestLetterCaseOfALocation(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	upper := filepath.Join(filepath.Dir(path), "CACHE")
	mustWriteItem(t, path, "lower")
	mustWriteItem(t, path, longKey)
	mustWriteItem(t, upper, "upper")
	for _, at := range []string{path, upper} {
		wantListed(t, at, "", "lower", "upper", longKey)
	}
}
