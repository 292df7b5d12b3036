package filelock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/testproc"
)

// What holders leave when they die. Old files name a process id that was given
// to somebody else since, here to the test itself.
func TestLeftovers(t *testing.T) {
	t.Parallel()
	dead, live := strconv.Itoa(deadPID(t)), strconv.Itoa(os.Getpid())
	tests := []struct {
		name, content string
		old           bool
	}{
		{name: "Python", content: dead + " /usr/bin/az"},
		{name: "Node", content: dead},
		{name: "Go", content: "{" + dead + "} {/opt/my app/az}"},
		{name: ".NET", content: "\xef\xbb\xbf" + dead + " dotnet\r\n"},
		{name: "Java", content: dead + " host.example"},
		{name: "empty", content: ""},
		{name: "rubbish", content: "\x00\xff"},
		{name: "another's id since", content: live + " /usr/bin/az", old: true},
		{name: "another's id since, in braces", content: "{" + live + "} {az}", old: true},
		{name: "another's id since, with a mark", content: "\xef\xbb\xbf" + live + " dotnet\n", old: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := cachePath(t)
			leave(t, path, tt.content, tt.old)
			ctx, cancel := context.WithTimeout(t.Context(), room)
			defer cancel()
			l, err := Acquire(ctx, path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if !l.AdoptedFromDead() || l.Held() != nil {
				t.Errorf("adopted: %t, held: %v", l.AdoptedFromDead(), l.Held())
			}
			if err := l.Release(); err != nil {
				t.Error(err)
			}
		})
	}
}

func leave(t *testing.T, path, content string, old bool) {
	t.Helper()
	err := os.WriteFile(path+lockSuffix, []byte(content), 0o644)
	if old {
		yearAgo := time.Now().AddDate(-1, 0, 0)
		err = errors.Join(err, os.Chtimes(path+lockSuffix, yearAgo, yearAgo))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A wait ends with its context, at once, whatever the holder is.
func TestWaitsEndWithContext(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"hold", "exist"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			path := cachePath(t)
			holder := start(t, testproc.Command(t, how, path))
			holder.says(t, "held")
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() {
				_, err := Acquire(ctx, path, Options{})
				ended <- err
			}()
			eventually(t, func() bool { return standing(path) == 1 })
			cancel()
			select {
			case err := <-ended:
				if !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
			case <-time.After(room):
				t.Error("it waits on")
			}
			deadline, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			defer cancel()
			_, err := Acquire(deadline, path, Options{})
			if want := fmt.Sprintf("process %d (", holder.Process.Pid); !errors.Is(err, backend.ErrLockTimeout) || !strings.Contains(err.Error(), want) {
				t.Errorf("%v doesn't name %q", err, want)
			}
			holder.done(t)
		})
	}
}
