package persist

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
)

func TestWatchTellsOfOthersAlone(t *testing.T) {
	t.Parallel()
	for _, kind := range kindsOfWatch {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			mine, theirs := watched(t, kind)
			save(t, mine, "before")
			ch := changes(t, mine)
			for i := range 10 {
				save(t, mine, fmt.Sprint("ours ", i))
				save(t, mine.Key("else"), fmt.Sprint("ours ", i))
			}
			none(t, ch)
			save(t, theirs.Key("else"), "theirs") // another item
			none(t, ch)
			save(t, theirs, "theirs")
			if c := next(t, ch); c.Err != nil || c.Version != version(t, mine) {
				t.Errorf("%+v", c)
			}
			if err := theirs.Delete(t.Context()); err != nil {
				t.Fatal(err)
			}
			if c := next(t, ch); c != (Change{}) {
				t.Errorf("a delete gave %+v", c)
			}
			save(t, mine, "ours")
			if err := mine.Delete(t.Context()); err != nil {
				t.Fatal(err)
			}
			none(t, ch)
		})
	}
}

// What others stored and an update of ours took in at once was a change of
// theirs all the same.
func TestWatchTellsOfWhatWeOverwrote(t *testing.T) {
	t.Parallel()
	for _, kind := range kindsOfWatch {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			mine, theirs := watched(t, kind)
			ch := changes(t, mine)
			for i := range 5 {
				save(t, theirs, fmt.Sprint("theirs ", i))
				err := mine.Update(t.Context(), func(old []byte) ([]byte, error) { return append(bytes.Clone(old), " and ours"...), nil })
				if err != nil {
					t.Fatal(err)
				}
			}
			next(t, ch)
			for rest := true; rest; {
				select {
				case <-ch:
				case <-time.After(5 * usualPace.patience):
					rest = false
				}
			}
			save(t, mine, "ours")
			none(t, ch)
		})
	}
}

func TestWatchTellsChangesApartOneByOne(t *testing.T) {
	t.Parallel()
	for _, kind := range kindsOfWatch {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			mine, theirs := watched(t, kind)
			save(t, theirs, "before")
			ch := changes(t, mine)
			for i := range 10 {
				begun := time.Now()
				save(t, theirs, fmt.Sprint("change ", i))
				if c := next(t, ch); c.Err != nil || c.Version != version(t, mine) {
					t.Errorf("%d: %+v", i, c)
				}
				select {
				case c := <-ch:
					t.Errorf("%d: told twice: %+v", i, c)
				case <-time.After(time.Until(begun.Add(100 * time.Millisecond))):
				}
			}
		})
	}
}

func TestWatchTellsTheLastOfManyChanges(t *testing.T) {
	t.Parallel()
	for _, kind := range kindsOfWatch {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			mine, theirs := watched(t, kind)
			ch := changes(t, mine)
			for i := range 300 {
				save(t, theirs, fmt.Sprint("change ", i))
			}
			// Nobody received until now, and the writer didn't wait.
			until(t, ch, version(t, mine))
			none(t, ch)
		})
	}
}

func TestWatchWhileEverybodyWrites(t *testing.T) {
	t.Parallel()
	for _, kind := range kindsOfWatch {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			mine, theirs := watched(t, kind)
			ch := changes(t, mine)
			var wg sync.WaitGroup
			for _, p := range []*Persistence{mine, mine, theirs} {
				wg.Go(func() {
					for range 30 {
						err := p.Update(t.Context(), func(old []byte) ([]byte, error) { return append(bytes.Clone(old), 'x'), nil })
						if err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			save(t, theirs, "last")
			until(t, ch, version(t, mine))
		})
	}
}

func TestWatchEnds(t *testing.T) {
	t.Parallel()
	for _, kind := range kindsOfWatch {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			mine, theirs := watched(t, kind)
			ctx, cancel := context.WithCancel(t.Context())
			ch, err := mine.Watch(ctx)
			if err != nil {
				t.Fatal(err)
			}
			cancel()
			if c, ok := <-ch; ok {
				t.Errorf("told %+v", c)
			}
			if _, err := mine.Watch(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("a ctx that has ended: %v", err)
			}
			ch = changes(t, mine)
			if err := errors.Join(mine.Close(), mine.Close()); err != nil {
				t.Fatal(err)
			}
			if c := next(t, ch); !errors.Is(c.Err, backend.ErrClosed) {
				t.Errorf("Close gave %+v", c)
			}
			if c, ok := <-ch; ok {
				t.Errorf("and then %+v", c)
			}
			if _, err := mine.Watch(t.Context()); !errors.Is(err, backend.ErrClosed) {
				t.Errorf("a store that is closed: %v", err)
			}
			save(t, theirs, "x")
		})
	}
}

func TestWatchOfAStoreThatCantBeOpened(t *testing.T) {
	t.Parallel()
	p := Later(func() (*Persistence, error) { return nil, backend.ErrDenied })
	if ch, err := p.Watch(t.Context()); !errors.Is(err, backend.ErrDenied) || ch != nil {
		t.Errorf("got %v", err)
	}
}

func TestWatchTellsWhenTheItemCantBeRead(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, s := onDisk(t, path)
	save(t, p, "x")
	var mu sync.Mutex
	broken := backend.ErrLocked
	set := func(err error) { mu.Lock(); defer mu.Unlock(); broken = err }
	s.onLoad = func(context.Context) error { mu.Lock(); defer mu.Unlock(); return broken }
	p.opening.store.pace.net = 5 * time.Millisecond
	ch := changes(t, p)
	if c := next(t, ch); !errors.Is(c.Err, backend.ErrLocked) {
		t.Errorf("%+v", c)
	}
	none(t, ch) // the same again is nothing new
	set(backend.ErrDenied)
	if c := next(t, ch); !errors.Is(c.Err, backend.ErrDenied) {
		t.Errorf("%+v", c)
	}
	set(nil)
	if c := next(t, ch); c.Err != nil || c.Version != atomicfile.VersionOf([]byte("x")) {
		t.Errorf("%+v", c)
	}
}
