package atomicfile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
	"github.com/msalext/msalext/internal/testproc"
)

var background = context.Background()

// fullDisk writes until nothing fits, in a file system of its own.
func fullDisk(args []string) error {
	if err := testproc.MountTmpfs(args[0], "256k"); err != nil {
		return err
	}
	path := filepath.Join(args[0], "cache")
	old := bytes.Repeat([]byte("o"), 100<<10)
	v, err := atomicfile.Write(background, path, old, backend.None)
	if err != nil {
		return err
	}
	_, err = atomicfile.Write(background, path, bytes.Repeat([]byte("n"), 1<<20), v)
	if !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("cause lost: %v", err)
	}
	if err := want(err, backend.ErrUnavailable); err != nil {
		return err
	}
	blob, err := atomicfile.Read(path)
	if err != nil || !bytes.Equal(blob.Data, old) {
		return fmt.Errorf("old content: %d bytes, %w", len(blob.Data), err)
	}
	if entries, _ := os.ReadDir(args[0]); len(entries) != 1 {
		return fmt.Errorf("left behind: %v", entries)
	}
	_, err = atomicfile.Write(background, path, []byte("small"), v)
	return err
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	testproc.Run(t, testproc.WithOwnMounts(testproc.Command(t, "disk full", t.TempDir())))
}

// writeForEver replaces a file of equal bytes by one of other equal bytes.
func writeForEver(args []string) error {
	fmt.Println("started")
	for i := byte('a'); ; i = 'a' + (i+1-'a')%26 {
		if err := replaceBy(args[0], bytes.Repeat([]byte{i}, 200<<10)); err != nil {
			return err
		}
	}
}

// replaceBy writes whatever is there now.
func replaceBy(path string, data []byte) error {
	blob, err := atomicfile.Read(path)
	if err != nil && !errors.Is(err, backend.ErrNotFound) {
		return err
	}
	_, err = atomicfile.Write(background, path, data, blob.Version)
	return err
}

func TestKilledWriters(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	mustWrite(t, path, bytes.Repeat([]byte("a"), 200<<10), backend.None)
	for i := range 20 {
		cmd := testproc.Command(t, "write loop", path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 7)); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(time.Duration(i) * 700 * time.Microsecond); time.Now().Before(end); {
			wantWhole(t, path)
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		wantWhole(t, path)
	}
	addPartialWrite(t, path)
	testproc.Run(t, testproc.Command(t, "write once", path))
	wantAlone(t, filepath.Dir(path), "cache")
}

func wantWhole(t *testing.T, path string) {
	t.Helper()
	data := mustRead(t, path).Data
	if len(data) != 200<<10 || bytes.Count(data, data[:1]) != len(data) {
		t.Fatalf("a reader saw neither old nor new: %d bytes", len(data))
	}
}

// addPartialWrite makes sure that a dead writer left something behind.
func addPartialWrite(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path+".msalext-tmp-0123456789abcdef", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// countUp adds one n times, without any lock but the version.
func countUp(path string, n int) error {
	for n > 0 {
		blob, err := atomicfile.Read(path)
		if err != nil {
			return err
		}
		i, err := strconv.Atoi(string(blob.Data))
		if err != nil {
			return err
		}
		_, err = atomicfile.Write(background, path, []byte(strconv.Itoa(i+1)), blob.Version)
		switch {
		case err == nil:
			n--
		case !errors.Is(err, backend.ErrConflict):
			return err
		}
	}
	return nil
}

func TestWritersWithoutLock(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	mustWrite(t, path, []byte("0"), backend.None)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() { testproc.Run(t, testproc.Command(t, "count up", path)) })
		wg.Go(func() {
			if err := countUp(path, 25); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := string(mustRead(t, path).Data); got != "150" {
		t.Errorf("got %s of 150: writers lost each other's change", got)
	}
	wantAlone(t, filepath.Dir(path), "cache")
}
