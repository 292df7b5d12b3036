package persist

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/tokencache"
)

// Modify uses memory again. What a caller has must not change by that.
func TestWhatCallersHaveStaysAsItWas(t *testing.T) {
	t.Parallel()
	p, _ := onDisk(t, tempPath(t))
	save(t, p, string(cacheOf("ann", "bob")))
	c := NewPersistedTokenCache(p, nil)
	var held, copies [][]byte
	hold := func(data []byte) { held, copies = append(held, data), append(copies, bytes.Clone(data)) }
	view := func() View {
		v, err := c.View(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		hold(v.Bytes())
		hold(v.Readable())
		return v
	}
	var entries []tokencache.Entry
	steps := []func(i int){
		func(int) { view() },
		func(int) {
			found, err := c.Search(t.Context(), tokencache.Query{})
			if err != nil {
				t.Fatal(err)
			}
			entries = append(entries, found...)
		},
		func(int) {
			if err := c.Modify(t.Context(), func(*tokencache.TokenCache) error { return os.ErrInvalid }); !errors.Is(err, os.ErrInvalid) {
				t.Error(err)
			}
		},
		func(int) { modify(t, c, func(*tokencache.TokenCache) error { return nil }) },
		func(int) {
			modify(t, c, func(tc *tokencache.TokenCache) error {
				entries = append(entries, tc.Search(tokencache.Query{})...)
				hold(tc.Serialize())
				return nil
			})
		},
		func(i int) {
			base := view()
			ours := bytes.Replace(base.Bytes(), []byte(`"rt-ann`), fmt.Appendf(nil, `"rt-ann%d`, i), 1)
			if _, err := c.Merge(t.Context(), base, ours, tokencache.OpSilent); err != nil {
				t.Fatal(err)
			}
		},
	}
	var texts []string
	for i := range 400 {
		for range i % 4 {
			modify(t, c, renaming(strings.Repeat("x", 1+i%7)+fmt.Sprint(i)))
		}
		steps[(i*7+i/6)%len(steps)](i)
		for _, e := range entries[len(texts):] {
			texts = append(texts, string(e.Raw()))
		}
	}
	for i := range held {
		if !bytes.Equal(held[i], copies[i]) {
			t.Fatalf("bytes %d of %d changed to %s", i, len(held), held[i])
		}
	}
	for i, e := range entries {
		if string(e.Raw()) != texts[i] {
			t.Fatalf("entry %d of %d changed to %s", i, len(entries), e.Raw())
		}
	}
	if got := signedIn(t, c); got != "ann bob" {
		t.Errorf("%q are left", got)
	}
}

// lately is a store that does something else once, between a load and its
// caller.
type lately struct {
	backend.Store
	then *func()
}

func (l lately) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	blob, err := l.Store.Load(ctx, key, have)
	if then := *l.then; then != nil {
		*l.then = nil
		then()
	}
	return blob, err
}

// A write that finds nothing to change may end after a reader has seen what
// others wrote since, and then they write back what was there before.
func TestWhatCallersHaveStaysWhileOthersWriteBack(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, fails := onDisk(t, path)
	var then func()
	s := p.opened()
	s.store = lately{s.store, &then}
	save(t, p, string(cacheOf("ann")))
	c := NewPersistedTokenCache(p, &CacheOptions{OnError: func(error) {}})
	modify(t, c, renaming("first"))
	held, err := c.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	was := bytes.Clone(held.Bytes())
	// What a refresh brought for somebody who is signed out changes nothing.
	fails.onLoad = func(context.Context) error { return &backend.Error{Kind: backend.ErrLocked} }
	ours := bytes.Replace(was, []byte(`"RefreshToken":{`), []byte(`"RefreshToken":{"z":{"home_account_id":"z.t","environment":"env","client_id":"c","secret":"z"},`), 1)
	if _, err := c.Merge(t.Context(), held, ours, tokencache.OpSilent); err == nil {
		t.Fatal("it is stored")
	}
	fails.onLoad = nil
	put := func(data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Error(err)
		}
	}
	then = func() {
		put(cacheOf("bob"))
		if got := signedIn(t, c); got != "bob" {
			t.Errorf("%q are signed in", got)
		}
	}
	if err := c.Close(t.Context()); err != nil || then != nil {
		t.Fatalf("nothing came between: %v", err)
	}
	put(was)
	for _, name := range []string{"second", "third", "fourth"} {
		modify(t, c, renaming(name))
	}
	if !bytes.Equal(held.Bytes(), was) {
		t.Errorf("a View changed to %s", held.Bytes())
	}
}
