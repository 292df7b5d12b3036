package extensions_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/testproc"
)

// plugins lists a process's children that run: our programs start nothing else.
func plugins(parent int) []int {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	var pids []int
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		before, after, _ := strings.Cut(string(stat), ") ") // pid (comm) state ppid …
		fields := strings.Fields(after)
		if len(fields) > 1 && fields[0] != "Z" && fields[1] == strconv.Itoa(parent) {
			pid, _ := strconv.Atoi(strings.Fields(before)[0])
			pids = append(pids, pid)
		}
	}
	return pids
}

// eventually waits for what should take far less than the time it allows.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it never happened: %s", what)
		}
	}
}

// stormChild updates a cache while its plugin is killed again and again, and
// checks that each update that was reported as done is there, once.
func stormChild(plugin, location string) (err error) {
	host := hostWith(plugin)
	defer func() { err = errors.Join(err, host.Close()) }()
	ctx := context.Background()
	p, err := extensions.Open(ctx, "file", location, &extensions.Options{Host: host})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	over, kills := make(chan struct{}), make(chan int, 1)
	go killAgainAndAgain(over, kills)
	done, failed := storm(ctx, p)
	close(over)
	n := <-kills
	if err := p.Update(ctx, func(old []byte) ([]byte, error) { return append(bytes.Clone(old), "end\n"...), nil }); err != nil {
		return fmt.Errorf("after the storm: %w", err)
	}
	data, err := os.ReadFile(location)
	if err != nil {
		return err
	}
	for _, line := range done {
		if c := strings.Count("\n"+string(data), "\n"+line+"\n"); c != 1 {
			return fmt.Errorf("update %s is there %d times", line, c)
		}
	}
	fmt.Printf("%d updates done, %d failed, %d kills\n", len(done), failed, n)
	if n == 0 || len(done) == 0 {
		return errors.New("the test proves nothing")
	}
	return nil
}

func storm(ctx context.Context, p *extensions.Persistence) (done []string, failed int) {
	for i := range 300 {
		line := fmt.Sprintf("line-%d", i)
		err := p.Update(ctx, func(old []byte) ([]byte, error) { return append(bytes.Clone(old), line+"\n"...), nil })
		if err == nil {
			done = append(done, line)
		} else {
			failed++
		}
	}
	return done, failed
}

func killAgainAndAgain(over <-chan struct{}, kills chan<- int) {
	n := 0
	defer func() { kills <- n }()
	for n < 6 { // the host pauses ever longer before it starts a plugin that keeps dying
		select {
		case <-over:
			return
		case <-time.After(30 * time.Millisecond):
			for _, pid := range plugins(os.Getpid()) {
				if syscall.Kill(pid, syscall.SIGKILL) == nil {
					n++
				}
			}
		}
	}
}

func TestKilledPluginLosesNothing(t *testing.T) {
	t.Parallel()
	t.Log(testproc.Run(t, testproc.Command(t, "storm", filePlugin(t), location(t))))
}

// holdChild opens a cache, saves, and waits to be killed.
func holdChild(plugin, location string) error {
	p, err := extensions.Open(context.Background(), "file", location, &extensions.Options{Host: hostWith(plugin)})
	if err != nil {
		return err
	}
	if err := p.Save(context.Background(), []byte("held")); err != nil {
		return err
	}
	fmt.Println("ready")
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, errors.New("the test ended without killing this process"))
}

func TestKilledHostLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	sockets, err := os.MkdirTemp("", "s") // a short path, as a user's TMPDIR has
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(sockets)
	cmd := testproc.Command(t, "hold", filePlugin(t), location(t))
	cmd.Env = append(cmd.Env, "TMPDIR="+sockets, "XDG_RUNTIME_DIR=")
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, len("ready\n"))); err != nil {
		t.Fatal(err)
	}
	pids := plugins(cmd.Process.Pid)
	if len(pids) != 1 || entries(t, sockets) != 1 {
		t.Fatalf("%d plugins, %d socket directories", len(pids), entries(t, sockets))
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	eventually(t, "the plugin ends", func() bool { return ended(pids[0]) })
	eventually(t, "its socket directory goes", func() bool { return entries(t, sockets) == 0 })
}

// ended tells whether a process is gone, or a zombie that waits for init.
func ended(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, _ := strings.Cut(string(stat), ") ")
	return err != nil || strings.HasPrefix(state, "Z")
}

func entries(t *testing.T, dir string) int {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// stopChild stops its plugin as a debugger would, and sees every call end.
func stopChild(plugin, location string) error {
	host := hostWith(plugin)
	ctx := context.Background()
	p, err := extensions.Open(ctx, "file", location, &extensions.Options{Host: host})
	if err != nil {
		return err
	}
	if err := p.Save(ctx, []byte("old")); err != nil {
		return err
	}
	pids := plugins(os.Getpid())
	if len(pids) != 1 {
		return fmt.Errorf("%d plugins", len(pids))
	}
	if err := testproc.Stop(pids[0]); err != nil {
		return err
	}
	start := time.Now()
	if _, err := p.Load(ctx); !errors.Is(err, backend.ErrTimeout) {
		return fmt.Errorf("Load gave %w", err)
	}
	fmt.Printf("Load ended after %v\n", time.Since(start).Round(time.Millisecond))
	if data, err := p.Load(ctx); err != nil || string(data) != "old" {
		return fmt.Errorf("the next call: %q, %w", data, err)
	}
	for _, pid := range plugins(os.Getpid()) {
		if err := testproc.Stop(pid); err != nil {
			return err
		}
	}
	start = time.Now()
	if err := errors.Join(p.Close(), host.Close()); err != nil {
		fmt.Println("Close said:", err)
	}
	if took := time.Since(start); took > 20*time.Second {
		return fmt.Errorf("Close took %v", took)
	}
	if left := plugins(os.Getpid()); len(left) > 0 {
		return fmt.Errorf("left running: %v", left)
	}
	return nil
}

func TestStoppedPluginHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	t.Log(testproc.Run(t, testproc.Command(t, "stop", filePlugin(t), location(t))))
}
