package persist_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
)

// A window that lists who is signed in draws itself anew when another process
// signs somebody in or out.
func ExamplePersistence_Watch() {
	dir, err := os.MkdirTemp("", "notes-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "token-cache")
	open := func() *persist.Persistence {
		return persist.New("notes", notes(path), backend.Config{Location: path, Path: path}, nil)
	}
	p, another := open(), open() // a second one stands for another process
	defer p.Close()
	defer another.Close()

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	changes, err := p.Watch(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := another.Save(ctx, []byte("ann")); err != nil {
		fmt.Println(err)
	}
	for c := range changes {
		if c.Err != nil {
			fmt.Println("can't be read:", c.Err)
			continue
		}
		data, err := p.Load(ctx)
		fmt.Println(string(data), err)
		cancel() // the window was closed
	}
	// Output: ann <nil>
}
