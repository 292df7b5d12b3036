//go:build chaos

package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/testproc"
)

// The children of this file mount file systems that only they see: way,
// directory to mount over. Each is a program whose disk goes bad under it.

// TestDisks tries a disk that fills, one that becomes read-only, and a
// directory that goes away.
func TestDisks(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"full", "frozen", "removed"} {
		for _, way := range ways {
			t.Run(name+", "+way, func(t *testing.T) {
				t.Parallel()
				p := newPlace(t)
				if err := os.Mkdir(p.dir, 0o700); err != nil {
					t.Fatal(err)
				}
				t.Log(testproc.Run(t, testproc.WithOwnMounts(p.command(t, name, way, p.dir))))
			})
		}
	}
}

// disk is a cache on a file system of its own.
type disk struct {
	dir, location string
	p             *extensions.Persistence
	close         func() error
}

func mount(args []string) (disk, error) {
	if err := testproc.MountTmpfs(args[1], "256k"); err != nil {
		return disk{}, err
	}
	d := disk{dir: args[1], location: filepath.Join(args[1], "d", "cache")}
	var err error
	d.p, d.close, err = open(args[0], d.location, nil)
	if err != nil {
		return d, err
	}
	return d, d.works()
}

// works writes and reads, both at once: nothing holds the lock.
func (d disk) works() error {
	start := time.Now()
	sum, err := change(d.p, make(phase, 1))
	if err != nil {
		return err
	}
	if took := time.Since(start); took > 5*time.Second {
		return fmt.Errorf("a write took %v", took)
	}
	fmt.Println("a write took", time.Since(start).Round(time.Millisecond))
	return d.holds(sum)
}

func (d disk) holds(sum string) error {
	data, err := d.p.Load(context.Background())
	if err != nil {
		return err
	}
	if s, err := parse(data); err != nil || s.Sum != sum {
		return fmt.Errorf("state %s is stored instead of %s: %w", s.Sum, sum, err)
	}
	return nil
}

// stored is the sum of what is stored.
func (d disk) stored() (string, error) {
	data, err := d.p.Load(context.Background())
	if err != nil {
		return "", err
	}
	s, err := parse(data)
	return s.Sum, err
}

// refuses tries a write that must fail in a certain way, keep what is stored,
// and leave nothing behind.
func (d disk) refuses(kind error, says string) error {
	was, err := d.stored()
	if err != nil {
		return err
	}
	_, err = change(d.p, make(phase, 1))
	if e := (*backend.Error)(nil); !errors.Is(err, kind) || !errors.As(err, &e) || e.Hint == "" || !strings.Contains(err.Error(), says) {
		return fmt.Errorf("a write gave %w", err)
	}
	fmt.Println(err)
	if err := d.holds(was); err != nil {
		return err
	}
	return d.clean()
}

func (d disk) clean() error {
	list, err := os.ReadDir(filepath.Dir(d.location))
	if err != nil {
		return err
	}
	for _, e := range list {
		if r := role(e.Name()); r == "lock" || strings.Contains(r, "temp") {
			return fmt.Errorf("left behind: %s", e.Name())
		}
	}
	return nil
}

// fullChild fills the disk to its last block, and makes room again.
func fullChild(args []string) error {
	d, err := mount(args)
	if err != nil {
		return err
	}
	for _, free := range []int{0, 1, 4096} { // bytes: without a block, not even a name may fit
		ballast := filepath.Join(d.dir, "ballast")
		if err := fill(ballast, free); err != nil {
			return err
		}
		if err := d.refuses(backend.ErrUnavailable, "no space left"); err != nil && free == 0 {
			return err
		}
		if err := errors.Join(os.Remove(ballast), d.works(), d.clean()); err != nil {
			return err
		}
	}
	return d.close()
}

// fill leaves so many bytes.
func fill(ballast string, free int) error {
	f, err := os.Create(ballast)
	if err != nil {
		return err
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 1024))
	}
	size, serr := f.Seek(0, io.SeekCurrent)
	if !errors.Is(err, syscall.ENOSPC) || serr != nil {
		return errors.Join(err, serr)
	}
	return f.Truncate(size - int64(free))
}

// frozenChild makes the file system read-only, and writable again.
func frozenChild(args []string) error {
	d, err := mount(args)
	if err != nil {
		return err
	}
	for range 2 {
		if err := syscall.Mount("", d.dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
			return err
		}
		if err := d.refuses(backend.ErrDenied, "read-only"); err != nil {
			return err
		}
		if err := syscall.Mount("", d.dir, "", syscall.MS_REMOUNT, ""); err != nil {
			return err
		}
		if err := errors.Join(d.works(), d.clean()); err != nil {
			return err
		}
	}
	return d.close()
}

// removedChild removes the directory: what was stored is gone by the user's
// own hand, and the next write begins anew. Where it can't be made again, the
// error says so; moved back, it is as before.
func removedChild(args []string) error {
	d, err := mount(args)
	if err != nil {
		return err
	}
	dir := filepath.Dir(d.location)
	was, err := d.stored()
	if err == nil {
		err = os.Rename(dir, dir+".away")
	}
	if err != nil {
		return err
	}
	if _, err := d.p.Load(context.Background()); !errors.Is(err, backend.ErrNotFound) {
		return fmt.Errorf("a load without the directory gave %w", err)
	}
	if err := d.blocked(dir); err != nil {
		return err
	}
	if err := errors.Join(os.Rename(dir+".away", dir), d.holds(was), d.works(), d.clean()); err != nil {
		return err
	}
	if err := errors.Join(d.pulledAway(dir), os.RemoveAll(dir), d.works(), d.clean()); err != nil {
		return err
	}
	return d.close()
}

// blocked puts a file in the directory's place, then makes the file system
// read-only.
func (d disk) blocked(dir string) error {
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		return err
	}
	_, notDir := change(d.p, make(phase, 1))
	if err := os.Remove(dir); err != nil {
		return err
	}
	frozen := syscall.Mount("", d.dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, "")
	_, readOnly := change(d.p, make(phase, 1))
	if err := errors.Join(frozen, syscall.Mount("", d.dir, "", syscall.MS_REMOUNT, "")); err != nil {
		return err
	}
	fmt.Println(notDir, "\n", readOnly)
	if !errors.Is(notDir, backend.ErrInvalid) || !errors.Is(readOnly, backend.ErrDenied) {
		return errors.New("these are the wrong kinds")
	}
	return nil
}

// pulledAway moves the directory away in the middle of an update, which then
// fails, and back. Nothing of the update is in it, and the lock that it still
// had there doesn't keep anybody out.
func (d disk) pulledAway(dir string) error {
	was, err := d.stored()
	if err != nil {
		return err
	}
	err = d.p.Update(context.Background(), func(old []byte) ([]byte, error) {
		_, data, err := next(old)
		return data, errors.Join(err, os.Rename(dir, dir+".pulled"))
	})
	if !errors.Is(err, backend.ErrUnavailable) || !strings.Contains(err.Error(), "no such file or directory") {
		return fmt.Errorf("an update that lost its directory gave %w", err)
	}
	fmt.Println(err)
	return errors.Join(os.RemoveAll(dir), os.Rename(dir+".pulled", dir), d.holds(was), d.works(), d.clean())
}
