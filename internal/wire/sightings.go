package wire

import (
	"hash/maphash"
	"sync"

	"github.com/msalext/msalext/extensions/backend"
)

// sightings remembers which data was seen under an item's last version, as a
// hash. A backend that gives different data the same version would make its
// users overwrite each other unnoticed. The zero value is ready.
type sightings struct {
	mu   sync.Mutex
	seed maphash.Seed
	last map[string]sighting
}

type sighting struct {
	version backend.Version
	sum     uint64
}

// maxSightings bounds the memory of stores with very many keys.
const maxSightings = 256

// contradict tells whether other data was seen under this version, and notes
// the new sight. After a contradiction it starts afresh, so that one defect
// doesn't bar the item for ever.
func (s *sightings) contradict(key string, v backend.Version, data []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil {
		s.seed, s.last = maphash.MakeSeed(), map[string]sighting{}
	}
	now := sighting{v, maphash.Bytes(s.seed, data)}
	before, ok := s.last[key]
	if !ok && len(s.last) >= maxSightings {
		clear(s.last)
	}
	s.last[key] = now
	return ok && before.version == v && before.sum != now.sum
}
