package persist

import (
	"context"
	"errors"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/filelock"
	"github.com/msalext/msalext/internal/ownedfile"
)

// LastWrite tells people of the last write of an item.
type LastWrite struct {
	At time.Time // zero: the store doesn't tell
	By string    // "process 4711 (az)"; empty: a program that leaves no note, or the store needs no lock
}

// LastWrite tells when the item was written last, and by which process where that
// was one with this package. The time is that of the item's file, which may be a
// tenth of a second ahead, or what the store lists. For a key store it is that of
// the signal file, which other events touch too: ClearLock, and the lock of a process
// that died. It takes no lock, and nothing should be decided by it. Nothing stored
// is the zero LastWrite.
//
// ErrDenied: the file of the lock's queue isn't safe to open.
func (p *Persistence) LastWrite(ctx context.Context) (LastWrite, error) {
	s, err := p.join(ctx)
	if err != nil {
		return LastWrite{}, err
	}
	if s.info.Stamp == backend.StampNone {
		return LastWrite{At: s.listed(ctx, p.key).Modified}, nil
	}
	stamp, err := ownedfile.Stat(s.path(p.key))
	if errors.Is(err, backend.ErrNotFound) {
		return LastWrite{}, nil
	} else if err != nil {
		return LastWrite{}, s.fail("look at the last write", err)
	}
	by, err := filelock.Writer(s.path(p.key), stamp)
	return LastWrite{At: stamp.Modified(), By: by}, s.fail("look at the last write", err)
}

// listed is what the store lists of an item; zero where it doesn't.
func (s *shared) listed(ctx context.Context, key string) backend.KeyInfo {
	lister, can := backend.Can[backend.Lister](s.store, backend.CanList)
	if !can {
		return backend.KeyInfo{}
	}
	for info, err := range lister.Keys(ctx, key) {
		if err != nil || info.Key == key {
			return info
		}
	}
	return backend.KeyInfo{}
}

// sign notes that this process wrote the item, for LastWrite. The lock is held.
func (s *shared) sign(key string) {
	if s.cas() || s.info.Stamp == backend.StampNone {
		return
	}
	if stamp, err := ownedfile.Stat(s.path(key)); err == nil {
		filelock.NoteWriter(s.path(key), stamp)
	}
}
