package persist_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/plugins/file"
)

// used is a cache in a new directory that holds what isn't a token cache.
func used() (p *persist.Persistence, forget func()) {
	dir, err := os.MkdirTemp("", "example-")
	if err != nil {
		panic(err)
	}
	path := filepath.Join(dir, "token-cache")
	c := backend.Config{Location: path, Path: path}
	store, err := file.Backend().Open(context.Background(), c)
	if err != nil {
		panic(err)
	}
	p = persist.New("file", store, c, nil)
	if err := p.Save(context.Background(), []byte(`{"Account":`)); err != nil {
		panic(err)
	}
	return p, func() { _ = p.Close(); _ = os.RemoveAll(dir) }
}

func ExamplePersistence_Restore() {
	p, forget := used()
	defer forget()
	ctx := context.Background()
	if _, err := persist.NewPersistedTokenCache(p, nil).Quarantine(ctx); err != nil {
		fmt.Println(err)
		return
	}
	copies, err := p.Quarantined(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range copies {
		fmt.Println(c.Size, "bytes:", c.Why)
		keptAs, err := p.Key(c.Key).Restore(ctx, c.Name)
		fmt.Printf("kept as %q, %v\n", keptAs, err)
	}
	// Output:
	// 11 bytes: read token cache: ends too early at byte 11
	// kept as "", <nil>
}

func ExamplePersistence_Purge() {
	p, forget := used()
	defer forget()
	err := p.Purge(context.Background(), &persist.PurgeOptions{
		Progress: func(was persist.Purged) { fmt.Println(was.What) },
	})
	fmt.Println(err)
	// Output:
	// item
	// lock
	// record
	// <nil>
}

func ExamplePersistence_LastWrite() {
	p, forget := used()
	defer forget()
	last, err := p.LastWrite(context.Background())
	fmt.Println(strings.HasPrefix(last.By, "process "), last.At.IsZero(), err)
	// Output: true false <nil>
}
