package msal

import (
	"runtime"
	"slices"
	"sync"
	"weak"

	"github.com/msalext/msalext/extensions/persist"
)

// recent is what a cache was when MSAL last read it, for an HTTP client to know
// whose token it is that MSAL sends: MSAL reads the cache, perhaps asks where the
// token endpoint is, and then sends the token.
type recent struct {
	mu   sync.Mutex
	seen []persist.View // the latest first
}

// maxRecent bounds the memory of a program whose cache is large.
const maxRecent = 8

func (r *recent) note(v persist.View) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.seen) > 0 && v.Same(r.seen[0]) {
		return
	}
	r.seen = slices.Insert(r.seen, 0, v)
	r.seen = slices.Delete(r.seen, min(len(r.seen), maxRecent), len(r.seen))
}

func (r *recent) views() []persist.View {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

// recents is what HTTP clients want to know, by cache and for as long as that
// lives.
var recents = struct {
	sync.Mutex
	of map[weak.Pointer[persist.PersistedTokenCache]]*recent
}{of: map[weak.Pointer[persist.PersistedTokenCache]]*recent{}}

// recentOf is for an HTTP client; those of one cache share it.
func recentOf(c *persist.PersistedTokenCache) *recent {
	recents.Lock()
	defer recents.Unlock()
	at := weak.Make(c)
	r := recents.of[at]
	if r == nil {
		r = &recent{}
		recents.of[at] = r
		runtime.AddCleanup(c, forgetRecent, at)
	}
	return r
}

func forgetRecent(at weak.Pointer[persist.PersistedTokenCache]) {
	recents.Lock()
	defer recents.Unlock()
	delete(recents.of, at)
}

// aboutToRead notes what MSAL is given of a cache, where an HTTP client wants to
// know.
func aboutToRead(c *persist.PersistedTokenCache, v persist.View) {
	recents.Lock()
	r := recents.of[weak.Make(c)]
	recents.Unlock()
	if r != nil {
		r.note(v)
	}
}
