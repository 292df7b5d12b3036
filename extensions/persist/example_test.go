package persist_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
	"github.com/msalext/msalext/extensions/persist"
)

// notes is a store of one's own, in five lines: no plugin, no process.
type notes string

func (n notes) at(key string) string { return backend.PathFor(string(n), key) }

func (notes) Info() backend.Info { return backend.Info{Stamp: backend.StampData} }
func (n notes) Load(_ context.Context, k string, _ backend.Version) (backend.Blob, error) {
	return atomicfile.Read(n.at(k))
}
func (n notes) Save(ctx context.Context, k string, d []byte, v backend.Version) (backend.Version, error) {
	return atomicfile.Write(ctx, n.at(k), d, v)
}
func (n notes) Delete(ctx context.Context, k string, v backend.Version) error {
	return atomicfile.Remove(ctx, n.at(k), v)
}
func (notes) Close() error { return nil }

// A store of one's own needs no plugin: the lock, the merge and the reloading
// come with New.
func ExampleNew() {
	dir, err := os.MkdirTemp("", "notes-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	path := filepath.Join(dir, "token-cache")
	p := persist.New("notes", notes(path), backend.Config{Location: path, Path: path}, nil)
	defer p.Close()

	ctx := context.Background()
	if err := p.Save(ctx, []byte("hello")); err != nil {
		fmt.Println(err)
		return
	}
	err = p.Update(ctx, func(old []byte) ([]byte, error) {
		return fmt.Appendf(nil, "%s, world", old), nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	data, err := p.Load(ctx)
	fmt.Println(string(data), err)
	// Output: hello, world <nil>
}
