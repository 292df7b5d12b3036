package atomicfile_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
)

// os.Open, like the peers, doesn't share deletion: the file can't be replaced
// while it is open.
func TestReaderHoldsUpReplacement(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	v := mustWrite(t, path, []byte("old"), backend.None)
	reader, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = atomicfile.Write(ctx, path, []byte("new"), v)
	wantKind(t, err, backend.ErrUnavailable)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	wantAlone(t, filepath.Dir(path), "cache")
	if got := string(mustRead(t, path).Data); got != "old" {
		t.Errorf("content is %q", got)
	}
	time.AfterFunc(100*time.Millisecond, func() { _ = reader.Close() })
	mustWrite(t, path, []byte("new"), v)
}
