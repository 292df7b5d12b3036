package envelope_test

import (
	"context"
	"fmt"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/extensions/envelope"
)

// A key from an environment variable gives way to a new one: both open what is
// stored until all of it is encrypted with the new one.
func ExampleSeveral() {
	ctx := context.Background()
	store, err := (&memory.Backend{}).Open(ctx, backend.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	before, after := envelope.NewKey(), envelope.NewKey()
	old := envelope.Wrap(store, envelope.Fixed(before), nil)
	if _, err := old.Save(ctx, "user", []byte("tokens"), backend.None); err != nil {
		fmt.Println(err)
		return
	}

	both := envelope.Wrap(store, envelope.Several(envelope.Fixed(after), envelope.Fixed(before)), nil)
	if _, _, err := both.Rewrap(ctx, "user", nil); err != nil {
		fmt.Println(err)
		return
	}
	item, err := envelope.Wrap(store, envelope.Fixed(after), nil).Load(ctx, "user", backend.None)
	fmt.Println(string(item.Data), err)
	_, err = old.Load(ctx, "user", backend.None)
	fmt.Println(backend.KindOf(err))
	// Output:
	// tokens <nil>
	// what is stored can't be decrypted
}
