package filelock

import (
	"context"
	"errors"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/testproc"
)

func TestExclusion(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	var all []*child
	for range 8 {
		all = append(all, start(t, testproc.Command(t, "contend", path, "250")))
	}
	for _, c := range all {
		c.done(t)
	}
}

func TestFairness(t *testing.T) {
	path := cachePath(t) // not parallel: it measures
	const processes = 4
	begin := time.Now().Add(500 * time.Millisecond)
	var all []*child
	for range processes {
		all = append(all, start(t, testproc.Command(t, "count", path,
			strconv.FormatInt(begin.UnixNano(), 10), strconv.FormatInt(begin.Add(2*time.Second).UnixNano(), 10))))
	}
	var counts []int
	sum := 0
	for _, c := range all {
		c.lines.Scan()
		n, err := strconv.Atoi(c.lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		counts = append(counts, n)
		sum += n
		c.done(t)
	}
	share := float64(slices.Min(counts)) * processes / float64(sum)
	t.Logf("%v rounds: the least is %.2f of an even share", counts, share)
	if share < 0.3 {
		t.Errorf("unfair: %v", counts)
	}
}

func TestKilledHolderHeals(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	holder := start(t, testproc.Command(t, "hold", path))
	holder.says(t, "held")
	got := make(chan *Lock, 1)
	go func() {
		l, _ := Acquire(t.Context(), path, Options{})
		got <- l
	}()
	eventually(t, func() bool { return standing(path) == 1 })
	killed := time.Now()
	holder.kill(t)
	l := <-got
	if l == nil {
		t.Fatal("not acquired")
	}
	defer l.Release()
	t.Logf("healed after %s", time.Since(killed))
	if d := time.Since(killed); d > room {
		t.Errorf("it took %s", d)
	}
	if !l.AdoptedFromDead() && runtime.GOOS != "windows" { // Windows removes a dead holder's file
		t.Error("the lock doesn't tell that its holder died")
	}
	if err := l.Held(); err != nil {
		t.Error(err)
	}
}

func TestLiveExistenceHolderIsWaitedFor(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	peer := start(t, testproc.Command(t, "exist", path))
	peer.says(t, "held")
	ctx, cancel := context.WithTimeout(t.Context(), 3*graceUnsure)
	defer cancel()
	if _, err := Acquire(ctx, path, Options{}); !errors.Is(err, backend.ErrLockTimeout) {
		t.Fatalf("got %v", err)
	}
	if _, err := os.Stat(path + lockSuffix); err != nil {
		t.Fatalf("the peer's lock file is gone: %v", err)
	}
	peer.done(t)
	if l := mustAcquire(t, path); l.AdoptedFromDead() {
		t.Error("a released lock counts as left behind")
	}
}
