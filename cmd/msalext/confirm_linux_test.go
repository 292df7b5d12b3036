package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// openTerminal returns both ends of a new pseudo-terminal.
func openTerminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = person.Close() })
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = program.Close() })
	return person, program
}

func TestConfirm(t *testing.T) {
	t.Parallel()
	for answer, code := range map[string]int{"y\n": exitOK, " YES \n": exitOK, "n\n": exitDenied, "\n": exitDenied, "yesterday\n": exitDenied, "\x04": exitDenied} {
		person, program := openTerminal(t)
		if _, err := person.WriteString(answer); err != nil {
			t.Fatal(err)
		}
		var asked strings.Builder
		c := &command{in: program, out: &asked, err: &asked}
		err := c.confirm(t.Context(), false, "Really\x1b[2J?")
		if got := c.report(err); got != code {
			t.Errorf("%q: exit code %d, %v", answer, got, err)
		}
		if !strings.HasPrefix(asked.String(), "Really?[2J? [y/N] ") {
			t.Errorf("asked: %q", &asked)
		}
	}
}

// Ctrl-C ends a question that nobody answers.
func TestConfirmIsInterrupted(t *testing.T) {
	t.Parallel()
	_, program := openTerminal(t)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	var asked strings.Builder
	c := &command{in: program, out: &asked, err: &asked}
	if err := c.confirm(ctx, false, "Really?"); c.report(err) != exitInterrupted {
		t.Errorf("%v", err)
	}
}
