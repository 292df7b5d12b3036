package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"time"

	"github.com/msalext/msalext/extensions/backend/atomicfile"
)

// queue lets the writers of all processes come to SQLite's lock one by one:
// whoever is first waits for that lock, and leaves the queue once it has it.
// SQLite's own waiting is polling, where a process that has just written is
// there again before the others look, and may keep them away for seconds.
//
// It is a kernel lock on an empty file with ".lockqueue" behind the location,
// which stays, as for msalext's file locks. It is an aid: without it nothing is
// lost, and who doesn't get it goes on.
type queue struct{ path string }

// enter waits for its turn. leave is never nil.
func (q queue) enter(ctx context.Context, patience time.Duration) (leave func()) {
	f, err := q.open()
	if err != nil {
		return func() {}
	}
	for began := time.Now(); !lockNow(f) && ctx.Err() == nil && time.Since(began) < patience; {
		pause(ctx, rand.N(2*time.Millisecond))
	}
	return func() { _ = f.Close() }
}

func (q queue) open() (*os.File, error) {
	f, err := os.OpenFile(q.path, os.O_RDWR|noFollow, 0)
	if errors.Is(err, fs.ErrNotExist) {
		if err := atomicfile.Touch(q.path); err != nil {
			return nil, err
		}
		f, err = os.OpenFile(q.path, os.O_RDWR|noFollow, 0)
	}
	if err != nil {
		return nil, err
	}
	if err := vetOpened(f); err != nil { // who put it there would keep it locked
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
