package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"

	"github.com/msalext/msalext/msal/msaltest"
)

// TestFlood: 10,000 sign-ins that are begun at once and never finished leave
// nothing behind, and one that was begun before them is finished after them.
func TestFlood(t *testing.T) {
	w := newWorld(t, nil)
	s := w.serve(nil)
	b := w.browser(s)
	form := b.approve(w, b.begin("/user/login/orders"), alice)
	handler := s.Config.Handler
	before := heap()
	var wg sync.WaitGroup
	gate := make(chan struct{}, 500) // as many at once as a server would let in
	failed := make(chan int, 10_000)
	for i := range 10_000 {
		wg.Go(func() {
			gate <- struct{}{}
			defer func() { <-gate }()
			recorder := httptest.NewRecorder()
			handler.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("%s/user/login/%d", s.URL, i), nil))
			if recorder.Code != http.StatusSeeOther {
				failed <- recorder.Code
			}
		})
	}
	wg.Wait()
	if len(failed) > 0 {
		t.Errorf("%d failed, one with status %d", len(failed), <-failed)
	}
	if grown := heap() - before; grown > 4<<20 {
		t.Errorf("%d bytes are left", grown)
	}
	if n := w.entra.Count(msaltest.KindDiscovery); n != 1 {
		t.Errorf("%d requests to the identity provider", n)
	}
	if sessions, err := w.store.(interface {
		All() (map[string][]byte, error)
	}).All(); len(sessions) != 0 || err != nil || len(w.keys()) != 0 {
		t.Errorf("%d sessions, %v", len(sessions), err)
	}
	if a := b.fromEntra(form); a.StatusCode != http.StatusSeeOther {
		t.Errorf("the one from before: status %d", a.StatusCode)
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC() // what the first one finalized
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
