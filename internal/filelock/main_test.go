package filelock

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/testproc"
)

func TestMain(m *testing.M) { testproc.Main(m, children) }

var children = testproc.Children{
	"hold": hold, "exist": exist, "contend": contend, "count": count, "denied": denied,
	"exit": func([]string) error { return nil },
}

// room is how long an event may take that needs a second at most.
const room = 10 * time.Second

// hold takes the lock, says so, and keeps it until stdin ends.
func hold(args []string) error {
	fmt.Println("started")
	l, err := Acquire(context.Background(), args[0], Options{Program: "holder"})
	if err != nil {
		return err
	}
	fmt.Println("held")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return l.Release()
}

// exist is a peer that knows existence only.
func exist(args []string) error {
	if err := os.WriteFile(args[0]+lockSuffix, fmt.Appendf(nil, "%d peer", os.Getpid()), 0o600); err != nil {
		return err
	}
	fmt.Println("held")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return os.Remove(args[0] + lockSuffix)
}

// contend takes the lock many times, and proves each time to be alone.
func contend(args []string) error {
	rounds, _ := strconv.Atoi(args[1])
	for range rounds {
		if err := once(args[0]); err != nil {
			return err
		}
	}
	return nil
}

func once(path string) error {
	l, err := Acquire(context.Background(), path, Options{})
	if err != nil {
		return err
	}
	witness, err := os.OpenFile(path+".witness", os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("not alone: %w", err)
	}
	return errors.Join(l.Held(), witness.Close(), os.Remove(path+".witness"), l.Release())
}

// count tells how often it got the lock between two instants.
func count(args []string) error {
	begin, _ := strconv.ParseInt(args[1], 10, 64)
	end, _ := strconv.ParseInt(args[2], 10, 64)
	time.Sleep(time.Until(time.Unix(0, begin)))
	n := 0
	for ; time.Now().Before(time.Unix(0, end)); n++ {
		if err := once(args[0]); err != nil {
			return err
		}
	}
	fmt.Println(n)
	return nil
}

// denied expects ErrDenied, at once.
func denied(args []string) error {
	start := time.Now()
	if _, err := Acquire(context.Background(), args[0], Options{}); !errors.Is(err, backend.ErrDenied) {
		return fmt.Errorf("got %v", err)
	}
	if d := time.Since(start); d > room {
		return fmt.Errorf("it took %s", d)
	}
	return nil
}

// child is a started process.
type child struct {
	*exec.Cmd
	stdin io.Closer
	lines *bufio.Scanner
}

func start(t *testing.T, cmd *exec.Cmd) *child {
	t.Helper()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &child{cmd, stdin, bufio.NewScanner(stdout)}
}

// says waits for a line.
func (c *child) says(t *testing.T, want string) {
	t.Helper()
	for c.lines.Scan() {
		if c.lines.Text() == want {
			return
		}
	}
	t.Fatalf("the child ended without saying %q", want)
}

// done lets the child end.
func (c *child) done(t *testing.T) {
	t.Helper()
	_ = c.stdin.Close()
	if err := c.Wait(); err != nil {
		t.Errorf("child: %v", err)
	}
}

// kill ends the child as by kill -9.
func (c *child) kill(t *testing.T) {
	t.Helper()
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
}

func deadPID(t *testing.T) int {
	t.Helper()
	c := start(t, testproc.Command(t, "exit"))
	c.done(t)
	return c.Process.Pid
}

func cachePath(t *testing.T) string { return filepath.Join(t.TempDir(), "cache") }

func mustAcquire(t *testing.T, path string) *Lock {
	t.Helper()
	l, err := Acquire(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Release() })
	return l
}
