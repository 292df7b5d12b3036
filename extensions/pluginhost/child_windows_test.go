package pluginhost

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func init() {
	hostile["grandchild"] = grandchild
	programs["sleep"] = wait
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
