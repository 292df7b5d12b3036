package sqlite

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/msalext/msalext/extensions/backend"
)

// A disk that fails says nothing of what is stored, and only damage is damage.
func TestKinds(t *testing.T) {
	t.Parallel()
	onDisk := func(errno syscall.Errno) error { return &os.PathError{Op: "write", Path: "/cache", Err: errno} }
	tests := []struct {
		err, kind error
		hint      string
	}{
		{sqlite3.IOERR_READ, backend.ErrUnavailable, hintFailing},
		{sqlite3.IOERR_FSYNC, backend.ErrUnavailable, hintFailing},
		{sqlite3.IOERR_CORRUPTFS, backend.ErrUnavailable, hintFailing},
		{sqlite3.CANTOPEN, backend.ErrUnavailable, hintFailing},
		{sqlite3.FULL, backend.ErrUnavailable, hintSpace},
		{sqlite3.IOERR_DATA, backend.ErrCorrupt, hintDamaged},
		{sqlite3.CORRUPT, backend.ErrCorrupt, hintDamaged},
		{sqlite3.CORRUPT_INDEX, backend.ErrCorrupt, hintDamaged},
		{sqlite3.NOTADB, backend.ErrCorrupt, hintDamaged},
		{sqlite3.READONLY_DIRECTORY, backend.ErrDenied, hintDenied},
		{sqlite3.PERM, backend.ErrDenied, hintDenied},
		{sqlite3.BUSY, backend.ErrLockTimeout, "end it"},
		{sqlite3.TOOBIG, backend.ErrTooLarge, "shorter key"},
		{sqlite3.NOLFS, backend.ErrUnavailable, hintFailing},
		{onDisk(syscall.ENOSPC), backend.ErrUnavailable, hintSpace},
		{onDisk(syscall.EIO), backend.ErrUnavailable, hintFailing},
		{onDisk(syscall.ENOENT), backend.ErrUnavailable, hintFailing},
		{onDisk(syscall.EACCES), backend.ErrDenied, hintDenied},
		{onDisk(syscall.EROFS), backend.ErrDenied, "can be written"},
		{onDisk(syscall.EMFILE), backend.ErrUnavailable, "ulimit -n"},
		{fmt.Errorf("%w: %w", sqlite3.CANTOPEN, onDisk(syscall.EMFILE)), backend.ErrUnavailable, "ulimit -n"},
		{errNothing, backend.ErrNotFound, ""},
	}
	for _, tt := range tests {
		err := explain(tt.err)
		var e *backend.Error
		if !errors.As(err, &e) || e.Kind != tt.kind || !strings.Contains(e.Hint, tt.hint) {
			t.Errorf("%v: %v", tt.err, err)
		}
		if errno := (syscall.Errno)(0); errors.As(tt.err, &errno) && !errors.Is(err, errno) {
			t.Errorf("%v: the cause is lost: %v", tt.err, err)
		}
	}
}
