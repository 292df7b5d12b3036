package plugintest

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/msalext/msalext/extensions/backend/backendtest"
)

// caseTimeout ends a case that hangs; those of backendtest end before.
const caseTimeout = 3 * time.Minute

// unshown begins the log line of a case that has nothing to judge, here as in
// package backendtest.
const unshown = "nothing to test: "

// A trial is one run of one case: what a testing.T is in a test.
type trial struct {
	ctx context.Context

	mu     sync.Mutex
	failed bool
	notes  []string // what failed
	reason string   // why there was nothing to judge
	ends   []func()
}

var _ backendtest.T = (*trial)(nil)

// try runs a case to its end, or leaves it behind when it hangs.
func try(ctx context.Context, name, doc string, run func(*trial)) Result {
	ctx, cancel := context.WithTimeout(ctx, caseTimeout)
	defer cancel()
	began, t, done := time.Now(), &trial{ctx: ctx}, make(chan struct{})
	go func() {
		defer close(done)
		defer t.end()
		run(t)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		t.linger(done)
	}
	return t.result(name, doc, time.Since(began))
}

// linger gives a case whose context has ended the time to notice.
func (t *trial) linger(done <-chan struct{}) {
	select {
	case <-done:
	case <-time.After(caseTimeout / 10):
		t.Errorf("the case doesn't end")
	}
}

func (t *trial) end() {
	if r := recover(); r != nil {
		t.Errorf("panic: %v", r)
	}
	for i := len(t.ends) - 1; i >= 0; i-- {
		t.ends[i]()
	}
}

func (t *trial) result(name, doc string, took time.Duration) Result {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := Result{Case: name, Doc: doc, Outcome: Passed, TookMS: float64(took.Microseconds()) / 1000}
	switch {
	case t.failed:
		r.Outcome, r.Notes = Failed, append([]string(nil), t.notes...)
	case t.reason != "":
		r.Outcome, r.Notes = NotApplicable, []string{t.reason}
	}
	return r
}

// Helper does nothing: a report names no lines.
func (t *trial) Helper() {}

// Logf keeps the reason of a case that has nothing to judge, and drops the rest.
func (t *trial) Logf(format string, args ...any) {
	if reason, ok := strings.CutPrefix(fmt.Sprintf(format, args...), unshown); ok {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.reason = reason
	}
}

const maxNotes = 20

// Errorf notes a fault.
func (t *trial) Errorf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed = true; len(t.notes) < maxNotes {
		t.notes = append(t.notes, fmt.Sprintf(format, args...))
	}
}

// Fatalf notes a fault and ends the case's goroutine.
func (t *trial) Fatalf(format string, args ...any) {
	t.Errorf(format, args...)
	runtime.Goexit()
}

// pass ends the case: it has nothing to judge.
func (t *trial) pass(reason string) {
	t.Logf(unshown+"%s", reason)
	runtime.Goexit()
}

// TempDir returns a new directory, which is removed after the case.
func (t *trial) TempDir() string {
	dir, err := os.MkdirTemp("", "msalext-test-")
	if err != nil {
		t.Fatalf("a temporary directory: %v", err)
	}
	t.atEnd(func() { _ = os.RemoveAll(dir) })
	return dir
}

// atEnd runs f after the case, the last first.
func (t *trial) atEnd(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ends = append(t.ends, f)
}

// Context ends with the case.
func (t *trial) Context() context.Context { return t.ctx }
