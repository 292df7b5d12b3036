package pluginhost

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/msalext/msalext/internal/testproc"
)

func init() {
	endings["stopped"] = stop
}

func stop(t *testing.T, pid int) {
	t.Helper()
	if err := testproc.Stop(pid); err != nil {
		t.Fatal(err)
	}
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

// A plugin that doesn't even say that it is there is ended; one that answered a
// call meanwhile isn't.
func TestAskedInVain(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	s, _ := mustOpen(t, h, "store")
	pid := pidOf(t, s)
	p := h.service("store").cur
	stop(t, pid)
	if p.ask(); !there(pid) {
		t.Error("ended without a missed deadline")
	}
	p.silence.miss(time.Now())
	p.ask()
	eventually(t, "the plugin that says nothing is ended", func() bool { return !there(pid) })
}
