package persist

import (
	"fmt"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
)

func TestTraceTellsEachStep(t *testing.T) {
	t.Parallel()
	_, s := onDisk(t, tempPath(t))
	var log []string
	note := func(what string) func(Event) {
		return func(e Event) {
			if e.Backend != "file" || e.Start.IsZero() || e.Took < 0 {
				t.Errorf("%s: %+v", what, e)
			}
			log = append(log, fmt.Sprintf("%s %d %v", what, e.Bytes, e.Err != nil))
		}
	}
	trace := &Trace{LockWait: note("lock"), Load: note("load"), Merge: note("merge"), Save: note("save"), Conflict: note("conflict")}
	path := tempPath(t)
	p, _ := onDisk(t, path)
	p = New("file", s, p.opening.store.config, &Options{Trace: trace})
	c := NewPersistedTokenCache(p, &CacheOptions{OnError: func(error) {}})
	view(t, c)
	merge(t, c, View{}, cacheOf("ann"))
	stored, err := s.Store.Load(t.Context(), "", backend.None)
	if err != nil {
		t.Fatal(err)
	}
	n := len(stored.Data)
	want := fmt.Sprintf("load 0 false, lock 0 false, load 0 false, merge %d false, save %d false", n, n)
	if got := strings.Join(log, ", "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	log = nil
	once := true
	err = p.Update(t.Context(), func(old []byte) ([]byte, error) {
		if once { // a peer that doesn't respect the lock
			once = false
			v, err := s.Store.Load(t.Context(), "", backend.None)
			if err == nil {
				_, err = s.Store.Save(t.Context(), "", cacheOf("bob"), v.Version)
			}
			return cacheOf("x"), err
		}
		return cacheOf("yves"), nil
	})
	want = "lock 0 false, load N false, save N true, conflict 0 true, lock 0 false, load N false, save N false"
	if got := digits(strings.Join(log, ", ")); err != nil || got != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
	if p.Close() != nil {
		t.Error("Close failed")
	}
}

// digits writes N for each number but 0.
func digits(s string) string {
	fields := strings.Fields(s)
	for i, f := range fields {
		if f != "0" && strings.Trim(f, "0123456789") == "" {
			fields[i] = "N"
		}
	}
	return strings.Join(fields, " ")
}
