package extensions_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/testproc"
	"github.com/msalext/msalext/plugins/file"
)

const largeItem = 4 << 20 // long enough to be hit in the middle

// saveForever saves one of two large items after the other until a signal
// ends it, as a program that handles no signals.
func saveForever(plugin, location string) error {
	ctx := context.Background()
	p, err := extensions.Open(ctx, "file", location, &extensions.Options{Host: hostWith(plugin)})
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		if err := p.Save(ctx, bytes.Repeat([]byte{'a' + byte(i%2)}, largeItem)); err != nil {
			return err
		}
		if i == 1 {
			fmt.Println("saving")
		}
	}
}

// TestTerminalSignalsDuringASave does what Ctrl-C, a service manager and a
// closed terminal do. The whole foreground group gets the signal, and, worse
// than in a terminal, so does the plugin's own group.
func TestTerminalSignalsDuringASave(t *testing.T) {
	t.Parallel()
	// What nohup has this process ignore its children would ignore too; what it
	// handles, they don't.
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(heard) })
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		for round := range 3 {
			for _, plugins := range []bool{false, true} {
				t.Run(fmt.Sprintf("%v/%d/plugin too %v", sig, round, plugins), func(t *testing.T) {
					interrupt(t, sig, time.Duration(7*round+1)*time.Millisecond, plugins)
				})
			}
		}
	}
}

func interrupt(t *testing.T, sig syscall.Signal, after time.Duration, pluginsToo bool) {
	where := location(t)
	cmd := testproc.Command(t, "save forever", filePlugin(t), where)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	running := plugins(cmd.Process.Pid)
	time.Sleep(after) // anywhere within a save
	if pluginsToo {
		for _, pid := range running {
			_ = syscall.Kill(-pid, sig) // it may have ended already
		}
	}
	if err := syscall.Kill(-cmd.Process.Pid, sig); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) {
		t.Fatalf("the program ended with %v", err)
	}
	for _, pid := range running {
		eventually(t, "the plugin ends", func() bool { return ended(pid) })
	}
	data, err := os.ReadFile(where)
	if err != nil || len(data) != largeItem || strings.Trim(string(data), string(data[:1])) != "" {
		t.Errorf("%d bytes, neither the old item nor the new, %v", len(data), err)
	}
	p, err := extensions.Open(t.Context(), "file", where, &extensions.Options{InProcess: []backend.Backend{file.Backend()}})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, p)
	if err := p.Save(t.Context(), []byte("next")); err != nil {
		t.Errorf("the next program: %v", err)
	}
}
