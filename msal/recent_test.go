package msal

import (
	"runtime"
	"strconv"
	"testing"
	"time"
	"weak"

	"github.com/msalext/msalext/extensions/persist"
)

func noted(at weak.Pointer[persist.PersistedTokenCache]) bool {
	recents.Lock()
	defer recents.Unlock()
	return recents.of[at] != nil
}

func TestRecentLivesAsLongAsItsCache(t *testing.T) {
	t.Parallel()
	a, _ := shelved(t)
	at := weak.Make(a.cache)
	first := recentOf(a.cache)
	runtime.GC()
	if !noted(at) || recentOf(a.cache) != first {
		t.Error("what a cache was is forgotten while it lives")
	}
	runtime.KeepAlive(a) // and from here on nobody has it
	for deadline := time.Now().Add(20 * time.Second); noted(at); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it is kept without its cache")
		}
		runtime.GC()
	}
}

// Nobody pays for what nobody wants to know.
func TestRecentIsBounded(t *testing.T) {
	t.Parallel()
	a, save := shelved(t)
	r, saved := &reader{}, 0
	replace := func(times int) {
		for range times {
			saved++
			save(strconv.Itoa(saved))
			if err := a.replace(t.Context(), a.clients.of(r), r, need{person: "a.t"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	replace(1)
	if noted(weak.Make(a.cache)) {
		t.Error("it is kept without an HTTP client")
	}
	recent := recentOf(a.cache)
	replace(2)
	if n := len(recent.views()); n != 2 {
		t.Errorf("%d are kept of 2", n)
	}
	replace(maxRecent)
	if views := recent.views(); len(views) != maxRecent || !views[0].Same(a.clients.of(r).base) {
		t.Errorf("%d are kept, or not the latest", len(views))
	}
}
