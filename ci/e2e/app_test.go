//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// server is a process of the example.
type server struct {
	url string
	cmd *exec.Cmd
	log *output
}

// output is what a process printed, also while it runs.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// last is the last of it, which is enough for people.
func (o *output) last() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(o.text.String()), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}

// startApp starts the example with a directory of its own, on any port, at its
// embedded identity provider unless the environment says otherwise.
func startApp(t testing.TB, environment ...string) *server {
	t.Helper()
	s := &server{cmd: exec.Command(program), log: &output{}}
	s.cmd.Env = append(append(os.Environ(), "WEBAPP_DATA="+t.TempDir(), "WEBAPP_LISTEN=127.0.0.1:0"), environment...)
	s.cmd.Stderr = s.log
	printed, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.stop(t) })
	first, err := bufio.NewReader(printed).ReadString('\n')
	if err != nil {
		t.Fatalf("the example doesn't start: %v\n%s", err, s.log.last())
	}
	go func() { _, _ = io.Copy(io.Discard, printed) }()
	s.url, _, _ = strings.Cut(first, " ")
	return s
}

// stop ends the process as a person would, who has to be obeyed.
func (s *server) stop(t testing.TB) {
	if s.cmd.ProcessState != nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	ended := make(chan error, 1)
	go func() { ended <- s.cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the example ended with %v", err)
		}
		if t.Failed() {
			t.Logf("the example said last:\n%s", s.log.last())
		}
	case <-time.After(patience):
		_ = s.cmd.Process.Kill()
		t.Errorf("the example doesn't end; it said last:\n%s", s.log.last())
	}
}

// kill ends the process as a crash would.
func (s *server) kill(t testing.TB) {
	t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = s.cmd.Wait()
}
