package msal

import (
	"context"
	"runtime"
	"sync"
	"time"
	"weak"

	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/extensions/tokencache"
)

// sweepEach is how often a program looks through a cache for entries of expired
// assertions: to do it for each token would cost more than to have them.
const sweepEach = 5 * time.Minute

// swept is when, by cache and for as long as that lives.
var swept = struct {
	sync.Mutex
	at map[weak.Pointer[persist.PersistedTokenCache]]time.Time
}{at: map[weak.Pointer[persist.PersistedTokenCache]]time.Time{}}

// sweepBehalf removes what is stored for assertions that have expired, those of
// other applications included: nobody finds it any more.
func sweepBehalf(ctx context.Context, c *persist.PersistedTokenCache) {
	now := time.Now()
	if !sweepDue(c, now) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exportTimeout)
	defer cancel()
	// Where the store fails, they can wait.
	_ = c.Modify(ctx, func(tc *tokencache.TokenCache) error {
		for _, section := range []tokencache.Section{tokencache.AccessTokens, tokencache.RefreshTokens, tokencache.IDTokens} {
			for _, e := range tc.Search(tokencache.Query{Section: section}) {
				if outlivedAssertion(e, now) {
					tc.Remove(e)
				}
			}
		}
		return nil
	})
}

func sweepDue(c *persist.PersistedTokenCache, now time.Time) bool {
	swept.Lock()
	defer swept.Unlock()
	key := weak.Make(c)
	last, known := swept.at[key]
	if known && now.Sub(last) < sweepEach {
		return false
	}
	if !known {
		runtime.AddCleanup(c, forgetSwept, key)
	}
	swept.at[key] = now
	return true
}

func forgetSwept(key weak.Pointer[persist.PersistedTokenCache]) {
	swept.Lock()
	defer swept.Unlock()
	delete(swept.at, key)
}
