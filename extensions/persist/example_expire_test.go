package persist_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/extensions/persist"
)

// A session's tokens go by themselves, whether or not somebody signs out.
func ExamplePersistence_Expire() {
	ctx := context.Background()
	store, err := (&memory.Backend{}).Open(ctx, backend.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	p := persist.New("memory", store, backend.Config{}, nil)
	defer p.Close()

	session := p.Key("session/4711")
	if err := session.Save(ctx, []byte("tokens")); err != nil {
		fmt.Println(err)
		return
	}
	if err := session.Expire(ctx, 10*time.Millisecond); err != nil { // 8 hours, in a web app
		fmt.Println(err)
		return
	}
	time.Sleep(20 * time.Millisecond)
	_, err = session.Load(ctx)
	fmt.Println("sign in again:", errors.Is(err, backend.ErrNotFound))
	// Output: sign in again: true
}
