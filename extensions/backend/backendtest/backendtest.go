package backendtest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// T is what a case needs of a [testing.T]. Its methods are called by several
// goroutines at once, except for Fatalf, which the case's own goroutine calls.
type T interface {
	Helper()
	Logf(format string, args ...any)
	// Errorf notes a fault; the case goes on.
	Errorf(format string, args ...any)
	// Fatalf notes a fault and doesn't return: it ends the goroutine, after
	// its deferred calls, as runtime.Goexit does.
	Fatalf(format string, args ...any)
	// TempDir returns a new directory that is removed after the case.
	TempDir() string
	// Context ends when the case does, or earlier to stop it.
	Context() context.Context
}

// A Harness opens the stores that the cases use. Cases run one after the
// other, and each begins with Open. A harness that can do more has the methods
// of [Configured], [Locked] or [Processes] too.
type Harness interface {
	// Open returns a store that holds nothing, at a place that no earlier Open
	// used. It ends the case with Fatalf when it can't. The case closes it.
	Open(t T) backend.Store
	// Reopen returns a second store on the items of the last Open, as another
	// process would have.
	Reopen(t T) backend.Store
}

// Configured is a [Harness] that knows how it opened: cases can look where
// items lie, and for secrets in errors. A store with StampData needs it.
type Configured interface {
	// Config is what the last Open used.
	Config() backend.Config
}

// Locked is a [Harness] that can open a store which waits for Unlock.
type Locked interface {
	// OpenLocked is Open for a store that answers ErrLocked until Unlock.
	OpenLocked(t T) backend.Store
}

// Processes is a [Harness] whose items other processes can use.
type Processes interface {
	// Work opens a store on the items of the last Open in a new process, calls
	// [Work] there with the same job, and returns its error. Several
	// goroutines call it at once.
	Work(ctx context.Context, job string) error
}

// A Case finds one fault.
type Case struct {
	Name string // the fault: "alters 16 MiB"
	Doc  string // what the store must do, a sentence
	// Run reports the fault to t, if the harness's store has it.
	Run func(t T, h Harness)
}

// Cases returns all cases, in an order that has the simple ones first.
func Cases() []Case { return cases(limits{patience: 30 * time.Second}) }

// Run runs all cases as subtests, one after the other.
func Run(t *testing.T, h Harness) {
	t.Helper()
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) { c.Run(t, h) })
	}
}

// limits are what the kit's own tests set lower.
type limits struct {
	patience time.Duration // ten times and more what an awaited event needs
}

// fault is a case before it knows its limits.
type fault struct {
	name, doc string
	find      func(*trial)
}

func cases(l limits) []Case {
	var all []Case
	for _, f := range slices.Concat(
		roundTripFaults(), sizeFaults(), versionFaults(), conflictFaults(), deleteFaults(), keyFaults(),
		ownershipFaults(), contextFaults(), infoFaults(), errorFaults(), stampFaults(),
		concurrencyFaults(), processFaults(), closeFaults(),
		powerFaults(), watchFaults(), unlockFaults(), listFaults(), expireFaults(), checkFaults(),
	) {
		all = append(all, Case{Name: f.name, Doc: f.doc, Run: func(t T, h Harness) { try(t, h, l, f.find) }})
	}
	return all
}
