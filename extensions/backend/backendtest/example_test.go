package backendtest_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/backendtest"
	"github.com/msalext/msalext/extensions/backend/memory"
)

// console is a T for a command: it prints the faults.
type console struct {
	name  string
	fault atomic.Bool
}

func (c *console) Helper()                  {}
func (c *console) Logf(string, ...any)      {}
func (c *console) Context() context.Context { return context.Background() }

func (c *console) Errorf(format string, args ...any) {
	c.fault.Store(true)
	fmt.Printf("the store %s: %s\n", c.name, fmt.Sprintf(format, args...))
}

func (c *console) Fatalf(format string, args ...any) {
	c.Errorf(format, args...)
	runtime.Goexit()
}

func (c *console) TempDir() string {
	dir, err := os.MkdirTemp("", "backendtest-")
	if err != nil {
		c.Fatalf("%v", err)
	}
	return dir
}

// A command can run the cases too, each in a goroutine of its own that Fatalf
// may end.
func ExampleCases() {
	h := &backendtest.Opener{
		Backend:   &memory.Backend{},
		NewConfig: newPlaces(),
	}
	for _, c := range backendtest.Cases() {
		if c.Name != "overwrites from a wrong base" && c.Name != "cuts long keys" {
			continue // a real command runs them all
		}
		t, done := &console{name: c.Name}, make(chan struct{})
		go func() {
			defer close(done)
			c.Run(t, h)
		}()
		<-done
		if !t.fault.Load() {
			fmt.Println("ok:", c.Doc)
		}
	}
	// Output:
	// ok: Save over a version that isn't the current one fails with ErrConflict and changes nothing.
	// ok: Any string is a key, and each names an item of its own.
}

// newPlaces returns a new name for a place each time. Items in memory need no
// directory.
func newPlaces() func(backendtest.T) backend.Config {
	n := 0
	return func(backendtest.T) backend.Config {
		n++
		return backend.Config{Path: fmt.Sprint("/place/", n)}
	}
}
