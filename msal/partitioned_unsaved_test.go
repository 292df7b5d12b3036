package msal_test

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// told notes what PartitionOptions.OnError was told.
type told struct {
	mu   sync.Mutex
	keys map[string]error
}

func (o *told) tell(key string, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.keys == nil {
		o.keys = map[string]error{}
	}
	o.keys[key] = err
}

func (o *told) of(key string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.keys[key]
}

// TestUnsavedTokensAreNeverLetGo: however little memory there is, what the store
// would not take stays.
func TestUnsavedTokensAreNeverLetGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	var o told
	a := w.app(nil, &msal.PartitionOptions{Caches: 1, OnError: o.tell})
	a.shelf.fail(nil, errFull)
	const users = 5
	who := func(i int) string { return fmt.Sprintf("p%d@contoso.example", i) }
	key := func(i int) string { return fmt.Sprint("session/", i) }
	for i := range users {
		a.signIn(key(i), who(i))
		if !errors.Is(o.of(key(i)), backend.ErrUnavailable) {
			t.Errorf("%s: OnError was told %v", key(i), o.of(key(i)))
		}
	}
	runtime.GC()
	runtime.GC()
	requests := w.srv.Count(msaltest.KindToken)
	for i := range users {
		client := a.client(key(i))
		account, err := client.Account(t.Context(), msaltest.HomeAccountID(who(i)))
		if err != nil {
			t.Error(err)
		}
		if r, err := a.silent(key(i), account); err != nil || whose(r.AccessToken) != who(i) {
			t.Errorf("%s lost: %v", who(i), err)
		}
	}
	if n := w.srv.Count(msaltest.KindToken) - requests; n != 0 {
		t.Errorf("%d token requests", n)
	}
	if err := a.Remove(t.Context(), key(0)); !errors.Is(err, backend.ErrUnavailable) {
		t.Errorf("a sign-out that can't be stored: %v", err)
	}
	if err := a.Close(t.Context()); !errors.Is(err, backend.ErrUnavailable) {
		t.Errorf("Close said %v", err)
	}
	a.shelf.fail(nil, nil)
	if err := a.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if n := len(w.keys()); n != users {
		t.Errorf("%d of %d are stored", n, users)
	}
}

// TestUnsavedTokensAreStoredWhenTheStoreIsBack, without a call for their users.
func TestUnsavedTokensAreStoredWhenTheStoreIsBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	a := w.app(nil, &msal.PartitionOptions{Caches: 1, OnError: func(string, error) {}})
	a.shelf.fail(nil, errFull)
	for i := range 3 {
		a.signIn(fmt.Sprint("session/", i), fmt.Sprintf("p%d@contoso.example", i))
	}
	a.shelf.fail(nil, nil)
	a.signIn("session/9", alice)
	for deadline := time.Now().Add(20 * time.Second); len(w.keys()) < 4; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("stored: %q", w.keys())
		}
	}
	if err := a.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
