package persist

import (
	"sync"

	"github.com/msalext/msalext/internal/record"
)

// recorded spares reading the record with every load and save, by the rule that
// says when a cache is current.
type recorded struct {
	mu   sync.Mutex
	seen observation
	ours bool // what the last reading found
}

// holds tells whether the record is certainly still this store's. Where it isn't
// certain, the caller reads it, and tells found what it says.
func (r *recorded) holds(location string) (certain bool, found func(ours bool)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen.look(systemClock, record.Path(location)) && r.ours {
		return true, func(bool) {}
	}
	r.seen.loading(systemClock)
	r.ours = false
	mine := r.seen
	return false, func(ours bool) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.seen == mine { // else somebody looked since, and may have found another
			r.ours = ours
		}
	}
}
