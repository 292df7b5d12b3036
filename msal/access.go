package msal

import (
	"context"
	"runtime"
	"sync"
	"weak"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"

	"github.com/msalext/msalext/extensions/persist"
)

// access is what clients have of a cache: an accessor, or a partition, which
// also keeps account of its use. Who has it keeps the partition alive.
type access interface {
	cache.ExportReplace
	plain() *accessor
	// used is told of a use of the cache that didn't go through MSAL.
	used(context.Context)
}

func (a *accessor) plain() *accessor { return a }

func (*accessor) used(context.Context) {}

// accessTo finds the partition that a cache is of. An ordinary cache has none.
func accessTo(c *persist.PersistedTokenCache) access {
	partitions.Lock()
	defer partitions.Unlock()
	if part := partitions.of[weak.Make(c)].Value(); part != nil {
		return part
	}
	return &accessor{cache: c}
}

// partitions are those alive, by their caches: who makes a client is given the
// cache alone.
var partitions = struct {
	sync.Mutex
	of map[weak.Pointer[persist.PersistedTokenCache]]weak.Pointer[partition]
}{of: map[weak.Pointer[persist.PersistedTokenCache]]weak.Pointer[partition]{}}

// accessible notes a partition for as long as it lives.
func (part *partition) accessible() {
	partitions.Lock()
	defer partitions.Unlock()
	at := weak.Make(part.cache)
	partitions.of[at] = weak.Make(part)
	runtime.AddCleanup(part, forgetPartition, at)
}

func forgetPartition(at weak.Pointer[persist.PersistedTokenCache]) {
	partitions.Lock()
	defer partitions.Unlock()
	delete(partitions.of, at)
}
