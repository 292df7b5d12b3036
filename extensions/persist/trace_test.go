package persist_test

import (
	"context"
	"expvar"
	"fmt"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/extensions/persist"
)

// Counters for /debug/vars: how often, how long, how many bytes, how many
// failures.
func ExampleTrace() {
	vars := new(expvar.Map) // expvar.NewMap("msalext") in a program
	count := func(what string) func(persist.Event) {
		return func(e persist.Event) {
			vars.Add(what, 1)
			vars.Add(what+" bytes", int64(e.Bytes))
			vars.AddFloat(what+" seconds", e.Took.Seconds())
			if e.Err != nil {
				vars.Add(what+" failures", 1)
			}
		}
	}
	trace := &persist.Trace{LockWait: count("lock"), Load: count("load"), Save: count("save"), Conflict: count("conflict")}

	ctx := context.Background()
	store, err := (&memory.Backend{}).Open(ctx, backend.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	p := persist.New("memory", store, backend.Config{}, &persist.Options{Trace: trace})
	defer p.Close()
	for _, data := range []string{"one", "three"} {
		if err := p.Save(ctx, []byte(data)); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(vars.Get("load"), "loads of", vars.Get("load bytes"), "bytes,", vars.Get("save"), "saves of", vars.Get("save bytes"), "bytes")
	// Output: 2 loads of 0 bytes, 2 saves of 8 bytes
}
