package pluginhost

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"
)

func init() {
	hostile["grandchild"] = grandchild
	programs["sleep"] = wait
	programs["leave"] = leave
}

// grandchild leaves a process that holds the plugin's standard streams.
func grandchild() {
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{programEnv + "=sleep"}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	home, _ := os.UserHomeDir()
	pid := strconv.Itoa(cmd.Process.Pid)
	if err := os.WriteFile(filepath.Join(home, "grandchild"), []byte(pid), 0o600); err != nil {
		panic(err)
	}
}

// leave ends, and leaves a process that it tells of.
func leave() {
	grandchild()
	home, _ := os.UserHomeDir()
	pid, _ := os.ReadFile(filepath.Join(home, "grandchild"))
	fmt.Println(string(pid))
}

// grandchildIn reads the process id that grandchild left.
func grandchildIn(t *testing.T, home string) int {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(home, "grandchild"))
	pid, nerr := strconv.Atoi(string(data))
	if err := errors.Join(err, nerr); err != nil || !there(pid) {
		t.Fatalf("no grandchild %q: %v", data, err)
	}
	return pid
}

func TestJobEndsGrandchildren(t *testing.T) {
	home := t.TempDir()
	t.Setenv("USERPROFILE", home)
	h := newHost(t, nil)
	s, _ := mustOpen(t, h, "grandchild")
	pid, child := pidOf(t, s), grandchildIn(t, home)
	begin := time.Now()
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > closeTimeout || there(pid) {
		t.Errorf("took %v; process left: %v", took, there(pid))
	}
	eventually(t, "the grandchild ends", func() bool { return !there(child) })
}

// A host that is ended can't clear up; the system does, with its last handle to
// the job.
func TestJobEndsWithItsHost(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	cmd := runProgram(t, "hold", "PLUGINHOST_TEST_BACKEND=grandchild", "USERPROFILE="+home)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(stdout).ReadString('\n')
	pid, err := strconv.Atoi(strings.Fields(line + " x")[0])
	if err != nil {
		t.Fatalf("the program said %q", line)
	}
	child := grandchildIn(t, home)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	eventually(t, "the plugin ends with its host", func() bool { return !there(pid) })
	eventually(t, "so does what the plugin started", func() bool { return !there(child) })
}

// Where the system allows no job, or a process was started before there was one,
// it isn't ended with the plugin, and holds the plugin's pipes. Nobody waits for it.
func TestReapWithoutJob(t *testing.T) {
	t.Parallel()
	cmd := runProgram(t, "leave", "USERPROFILE="+t.TempDir())
	c, err := spawn(cmd)
	if err != nil {
		t.Fatal(err)
	}
	job := c.group.job
	c.group.job = 0 // still held, so that the grandchild goes on
	defer windows.CloseHandle(job)
	lines := make(chan string, 1)
	c.readers.Go(func() {
		out := bufio.NewReader(c.stdout)
		line, _ := out.ReadString('\n')
		lines <- line
		_, _ = io.Copy(io.Discard, out)
	})
	go c.reap()
	grandchild, err := strconv.Atoi(strings.TrimSpace(<-lines))
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() { c.readers.Wait(); close(over) }()
	select {
	case <-over:
	case <-time.After(soon):
		t.Error("somebody still reads")
	}
	if !there(grandchild) {
		t.Error("the test proves nothing: the grandchild has ended")
	}
}
