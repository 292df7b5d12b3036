//go:build interop && linux

package persist

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/testproc"
	"github.com/msalext/msalext/plugins/file"
)

// A real file system whose times are whole seconds: ext2 with the small inodes
// that it had at first. It takes root, e2fsprogs and a loop device.
func TestWholeSecondsDontFoolTheReader(t *testing.T) {
	dir := t.TempDir()
	image := filepath.Join(dir, "image")
	if err := errors.Join(os.WriteFile(image, nil, 0o600), os.Truncate(image, 8<<20)); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "mke2fs", "-q", "-t", "ext2", "-I", "128", image).CombinedOutput(); err != nil {
		t.Fatalf("mke2fs: %v: %s", err, out)
	}
	mounted := filepath.Join(dir, "mounted")
	if err := os.Mkdir(mounted, 0o700); err != nil {
		t.Fatal(err)
	}
	testproc.Run(t, testproc.WithOwnMounts(testproc.Command(t, "coarse", image, mounted)))
}

func init() { children["coarse"] = coarseChild }

// coarseChild mounts an image where nobody else sees it, and reads and writes
// there in every way at once.
func coarseChild(args []string) error {
	image, dir := args[0], args[1]
	if out, err := exec.Command("mount", "-o", "loop", image, dir).CombinedOutput(); err != nil {
		return fmt.Errorf("mount: %w: %s", err, out)
	}
	var wg sync.WaitGroup
	failed := make([]error, len(waysToWrite))
	next := 0
	for way := range waysToWrite {
		at := next
		next++
		wg.Go(func() { failed[at] = readsCoarse(filepath.Join(dir, fmt.Sprint(at), "cache"), way) })
	}
	wg.Wait()
	return errors.Join(append(failed, exec.Command("umount", dir).Run())...)
}

func readsCoarse(path, way string) error {
	ctx := context.Background()
	c := backend.Config{Location: path, Path: path}
	store, err := file.Backend().Open(ctx, c)
	if err != nil {
		return err
	}
	p := New("file", store, c, nil)
	defer p.Close()
	if err := p.Save(ctx, cacheOf("ann")); err != nil {
		return err
	}
	fi, err := os.Stat(path)
	if err != nil {
		return err
	}
	if fi.ModTime().Nanosecond() != 0 {
		return fmt.Errorf("the times of this file system have fractions: %v", fi.ModTime())
	}
	cache := NewPersistedTokenCache(p, nil)
	return rereads(path, way, 150, func() (string, error) {
		accounts, err := cache.Accounts(ctx)
		if err != nil || len(accounts) != 1 {
			return "", err
		}
		return accounts[0].Username, nil
	})
}
