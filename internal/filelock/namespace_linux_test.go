package filelock

import (
	"context"
	"errors"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/testproc"
)

// inNamespace makes the process the first of a pid namespace of its own, as in
// a container: its process id is 1 there.
func inNamespace(cmd *exec.Cmd) *exec.Cmd {
	cmd = testproc.AsRoot(cmd)
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWPID
	return cmd
}

// The id that such a holder writes, 1, is that of a process here which never
// ends, so that judging by it would wait for ever.
func TestHolderInAnotherNamespace(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	holder := start(t, inNamespace(testproc.Command(t, "hold", path)))
	holder.says(t, "held")
	ctx, cancel := context.WithTimeout(t.Context(), 3*graceUnsure)
	defer cancel()
	if _, err := Acquire(ctx, path, Options{}); !errors.Is(err, backend.ErrLockTimeout) {
		t.Fatalf("while it lives: %v", err)
	}
	died := time.Now()
	holder.kill(t)
	ctx, cancel = context.WithTimeout(t.Context(), 4*graceForeign)
	defer cancel()
	l, err := Acquire(ctx, path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Release()
	if took := time.Since(died); took < graceForeign || !l.AdoptedFromDead() {
		t.Errorf("after %s, adopted: %t", took, l.AdoptedFromDead())
	}
}
