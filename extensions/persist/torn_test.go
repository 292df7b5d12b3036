package persist

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/testproc"
)

// slowChild writes a file in place, in two halves, as a peer that is stopped in
// the middle: path, data, "locked" to hold the lock as MSAL Extensions for
// Python do, and how many bytes come first. It says "half", and writes on when
// it is told to.
func slowChild(args []string) error {
	path, data, locked := args[0], args[1], args[2] == "locked"
	half := 0
	if _, err := fmt.Sscan(args[3], &half); err != nil {
		return err
	}
	if locked {
		lock, err := os.OpenFile(path+".lockfile", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(lock, "%d %s", os.Getpid(), "python")
		if err := errors.Join(err, lock.Close()); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(data[:half]); err != nil {
		return err
	}
	fmt.Println("half")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	_, err = f.WriteString(data[half:])
	if err := errors.Join(err, f.Close()); err != nil || !locked {
		return err
	}
	return os.Remove(path + ".lockfile")
}

// slowWriter is a slowChild that stands in the middle.
type slowWriter struct {
	cmd *exec.Cmd
	in  io.WriteCloser
}

func slowly(t *testing.T, args ...string) slowWriter {
	t.Helper()
	w := slowWriter{cmd: testproc.Command(t, "slow", args...)}
	w.cmd.Stderr = os.Stderr
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if w.in, err = w.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "half\n" {
		t.Fatalf("%q, %v", line, err)
	}
	return w
}

func (w slowWriter) finish(t *testing.T) {
	t.Helper()
	if _, err := io.WriteString(w.in, "go on\n"); err != nil {
		t.Error(err)
	}
	if err := w.cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// where the first half of the write ends.
var halves = map[string]string{"nothing yet": "0", "a few bytes": "20", "nearly all": "300"}

func TestHalfAWriteUnderTheLockIsWaitedFor(t *testing.T) {
	t.Parallel()
	for name, half := range halves {
		for _, fresh := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, first read %t", name, fresh), func(t *testing.T) {
				t.Parallel()
				path := tempPath(t)
				p, s := onDisk(t, path)
				save(t, p, string(cacheOf("ann")))
				c := NewPersistedTokenCache(p, nil)
				if !fresh {
					view(t, c)
				}
				w := slowly(t, path, string(cacheOf("ann", "bob")), "locked", half)
				before, _ := s.counts()
				got := make(chan error, 1)
				var v View
				go func() {
					var err error
					v, err = c.View(t.Context())
					got <- err
				}()
				eventually(t, func() bool { loads, _ := s.counts(); return loads > before })
				select {
				case err := <-got:
					t.Fatalf("half a write gave %q, %v", v.Bytes(), err)
				case <-time.After(50 * time.Millisecond): // it waits for the lock
				}
				w.finish(t)
				if err := <-got; err != nil || string(v.Bytes()) != string(cacheOf("ann", "bob")) {
					t.Errorf("got %q, %v", v.Bytes(), err)
				}
			})
		}
	}
}

func TestHalfAWriteWithoutALockIsAnError(t *testing.T) {
	t.Parallel()
	for name, half := range halves {
		if half == "0" {
			continue // an empty file means that nothing is stored: some peers leave such
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := tempPath(t)
			p, _ := onDisk(t, path)
			save(t, p, string(cacheOf("ann")))
			c := NewPersistedTokenCache(p, nil)
			view(t, c)
			w := slowly(t, path, string(cacheOf("ann", "bob")), "free", half)
			if v, err := c.View(t.Context()); !errors.Is(err, backend.ErrCorrupt) {
				t.Errorf("got %q, %v", v.Bytes(), err)
			}
			w.finish(t)
			if got := signedIn(t, c); got != "ann bob" {
				t.Errorf("then: %q", got)
			}
		})
	}
}

// A file that stays empty costs the lock once, not at each read.
func TestEmptyFileIsAskedAboutOnce(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, _ := onDisk(t, path)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	locks := 0
	p.opening.store.trace = &Trace{LockWait: func(Event) { locks++ }}
	c := NewPersistedTokenCache(p, nil)
	for range 5 {
		if got := signedIn(t, c); got != "" {
			t.Errorf("got %q", got)
		}
	}
	if locks != 1 {
		t.Errorf("%d locks", locks)
	}
}
