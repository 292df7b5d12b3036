package extensions_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/plugins/file"
)

// A cache moves from a plain file to a store that encrypts, at the location
// that the application always had.
func ExampleMigrate() {
	dir, err := os.MkdirTemp("", "app-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	if err := encryptCache(context.Background(), filepath.Join(dir, "token-cache")); err != nil {
		fmt.Println(err)
	}
	// Output:
	// copied 1 of 1
	// kept by sealed, encrypted: true
}

func encryptCache(ctx context.Context, location string) error {
	// Where plugins are installed, InProcess isn't needed, and the second store
	// is "libsecret", say.
	opts := &extensions.Options{Candidates: []string{"sealed", "file"}, InProcess: []backend.Backend{file.Backend(), sealed{}}}
	from, err := extensions.Open(ctx, "file", location, opts)
	if err != nil {
		return err
	}
	defer from.Close()
	if err := from.Save(ctx, []byte("{}")); err != nil { // what earlier runs left
		return err
	}
	to, err := extensions.Open(ctx, "sealed", location, opts)
	if err != nil {
		return err
	}
	defer to.Close()
	err = extensions.Migrate(ctx, from, to, &extensions.MigrateOptions{
		DeleteSource: true,
		Progress:     func(done, total int, _ string) { fmt.Printf("copied %d of %d\n", done, total) },
	})
	if err != nil {
		return err
	}
	p, err := extensions.BuildPersistence(ctx, location, opts)
	if err != nil {
		return err
	}
	defer p.Close()
	fmt.Printf("kept by %s, encrypted: %v\n", p.Backend(), p.IsEncrypted())
	return nil
}
