package persist

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"
)

// waysToWrite are how peers change a file, and how those change it who would
// fool a reader that goes by the file's time.
var waysToWrite = map[string]func(path string, data []byte) error{
	"renamed": func(path string, data []byte) error { return replace(path, data, time.Time{}) },
	"in place": func(path string, data []byte) error {
		return os.WriteFile(path, data, 0o600)
	},
	"in place, time restored": func(path string, data []byte) error {
		return keepingTime(path, func() error { return os.WriteFile(path, data, 0o600) })
	},
	"in place without truncating, time restored": func(path string, data []byte) error {
		return keepingTime(path, func() error {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.Write(data)
			return errors.Join(err, f.Truncate(int64(len(data))), f.Close())
		})
	},
	"renamed, old time":         func(path string, data []byte) error { return replace(path, data, time.Unix(1_000_000_000, 0)) },
	"renamed, clock 5 s behind": func(path string, data []byte) error { return replace(path, data, time.Now().Add(-5*time.Second)) },
	"renamed, clock 5 s ahead":  func(path string, data []byte) error { return replace(path, data, time.Now().Add(5*time.Second)) },
	"removed and created, same time": func(path string, data []byte) error {
		return keepingTime(path, func() error { return errors.Join(os.Remove(path), os.WriteFile(path, data, 0o600)) })
	},
}

// replace renames a new file over the old; a zero time leaves it at now.
func replace(path string, data []byte, at time.Time) error {
	temp := path + ".peer"
	if err := os.WriteFile(temp, data, 0o600); err != nil {
		return err
	}
	if !at.IsZero() {
		if err := os.Chtimes(temp, at, at); err != nil {
			return err
		}
	}
	return os.Rename(temp, path)
}

func keepingTime(path string, write func() error) error {
	old, err := os.Stat(path)
	if err != nil {
		return err
	}
	if err := write(); err != nil {
		return err
	}
	return os.Chtimes(path, old.ModTime(), old.ModTime())
}

// writeChild changes a file from another process: way, path, data.
func writeChild(args []string) error {
	write := waysToWrite[args[0]]
	if write == nil {
		return fmt.Errorf("no way %q", args[0])
	}
	return write(args[1], []byte(args[2]))
}

// touchChild does what Python's Path.touch does.
func touchChild(args []string) error {
	f, err := os.OpenFile(args[0], os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	now := time.Now()
	return errors.Join(f.Close(), os.Chtimes(args[0], now, now))
}

// rereads has a file changed in one way many times, at once and after pauses
// that make the reader trust what it has, and returns what the reader missed.
func rereads(path, way string, rounds int, see func() (string, error)) error {
	for i := range rounds {
		who := [...]string{"ann", "bob", "joe"}[i%3] // all caches have one size
		if err := waysToWrite[way](path, cacheOf(who)); err != nil {
			return err
		}
		for range 1 + i%3 {
			got, err := see()
			if err != nil {
				return err
			}
			if got != who {
				return fmt.Errorf("%s, round %d: saw %q and not %q", way, i, got, who)
			}
			time.Sleep([...]time.Duration{0, fineTick / 2, 2 * fineTick}[i%5%3])
		}
	}
	return nil
}

// Whatever way a peer takes to write, the next read sees it.
func TestNoWayToWriteFoolsTheReader(t *testing.T) {
	t.Parallel()
	for way := range waysToWrite {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			path := tempPath(t)
			p, _ := onDisk(t, path)
			save(t, p, string(cacheOf("ann")))
			c := NewPersistedTokenCache(p, nil)
			err := rereads(path, way, 20, func() (string, error) { return signedIn(t, c), nil })
			if err != nil {
				t.Error(err)
			}
		})
	}
}
