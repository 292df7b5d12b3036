package envelope_test

import (
	"context"
	"fmt"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/extensions/envelope"
)

// What was encrypted with a key that is lost can't be read, and can be removed.
func ExampleStore_Discard() {
	ctx := context.Background()
	place := &memory.Backend{}
	with := func(key envelope.Key) *envelope.Store {
		s, err := place.Open(ctx, backend.Config{})
		if err != nil {
			panic(err)
		}
		return envelope.Wrap(s, envelope.Fixed(key), nil)
	}
	if _, err := with(envelope.NewKey()).Save(ctx, "ann", []byte("tokens"), backend.None); err != nil {
		panic(err)
	}
	s := with(envelope.NewKey())
	_, err := s.Load(ctx, "ann", backend.None)
	fmt.Println(backend.KindOf(err))
	fmt.Println(s.Discard(ctx, "ann"))
	// Output:
	// what is stored can't be decrypted
	// <nil>
}
