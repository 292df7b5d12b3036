package pluginhost

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"time"
)

func init() {
	endings["stopped"] = stop
}

func stop(t *testing.T, pid int) {
	t.Helper()
	_ = syscall.Kill(pid, syscall.SIGSTOP)
	eventually(t, "the process stops", func() bool { return stopped(pid) })
}

func TestStoppedPlugin(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	s, _ := mustOpen(t, h, "store")
	pid := pidOf(t, s)
	stop(t, pid)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := s.Load(ctx, "", ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error: %v", err)
	}
	eventually(t, "the stopped process is ended", func() bool { return !there(pid) })
	if _, err := s.Load(t.Context(), "", ""); known(err) != nil {
		t.Errorf("the next call: %v", err)
	}
}
