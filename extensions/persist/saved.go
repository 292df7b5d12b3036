package persist

import (
	"crypto/sha256"
	"sync"

	"github.com/msalext/msalext/extensions/backend"
)

// savedMost bounds the items that are remembered; what is forgotten costs a load.
const savedMost = 1000

// saved remembers what Save left of each item, so that the next one needn't load
// it first. It keeps no data.
type saved struct {
	mu    sync.Mutex
	items map[string]savedItem
}

type savedItem struct {
	from basis // without data
	sum  [sha256.Size]byte
}

// before is what a Save may start from: nothing where the item may have these
// bytes already, which are then not written again.
func (s *saved) before(key string, data []byte) basis {
	s.mu.Lock()
	it, known := s.items[key]
	s.mu.Unlock()
	if !known || len(data) == 0 || it.sum == sha256.Sum256(data) {
		return basis{}
	}
	return it.from
}

// after notes what a Save left.
func (s *saved) after(key string, data []byte, left basis) {
	if left.blob.Version == backend.None {
		return
	}
	it := savedItem{basis{blob: backend.Blob{Version: left.blob.Version}, stamp: left.stamp}, sha256.Sum256(data)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.items == nil || len(s.items) >= savedMost {
		s.items = map[string]savedItem{}
	}
	s.items[key] = it
}
