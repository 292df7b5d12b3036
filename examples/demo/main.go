// Command demo shows the main job, end to end, with real processes:
//
//   - one process signs in, through MSAL for Go, a plugin and a file;
//   - a second one gets its token from the cache, without asking for one;
//   - four processes sign 60 people each in to one cache at once, and a fifth
//     counts from disk how many were kept.
//
// It starts the fake Entra ID that all of them use. The quickstart program and
// the directory msalext-plugins must lie beside it; `make demo` puts them there.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/msalext/msalext/examples/internal/tenant"
	"github.com/msalext/msalext/msal/msaltest"
)

const (
	processes = 4
	signIns   = 60
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// run plays the part that args name: none is the whole demonstration.
func run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 0:
		return demonstrate(ctx)
	case len(args) == 3 && args[0] == "sign-in":
		process, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		return signInMany(ctx, args[1], process)
	case len(args) == 2 && args[0] == "count":
		return count(ctx, args[1])
	}
	return fmt.Errorf("usage: %s", filepath.Base(os.Args[0]))
}

func demonstrate(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "msalext-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	// One answer of "not yet" before each approval, as with a quick person.
	server := msaltest.New(&msaltest.Options{Approver: tenant.Person, Pending: 1})
	defer server.Close()
	d := demo{server: server, dir: dir}
	if err := d.onceThenSilent(ctx); err != nil {
		return err
	}
	return d.storm(ctx)
}

type demo struct {
	server *msaltest.Server
	dir    string
}

// onceThenSilent runs the quickstart twice on one cache.
func (d demo) onceThenSilent(ctx context.Context) error {
	if made, err := d.quickstart(ctx, "a first process signs in"); err != nil {
		return err
	} else if made == 0 {
		return errors.New("the first process has a token that nobody issued")
	}
	if made, err := d.quickstart(ctx, "a second process"); err != nil {
		return err
	} else if made > 0 {
		return fmt.Errorf("the second process made %d token requests", made)
	}
	fmt.Println("no token request was made")
	return nil
}

// quickstart returns how many token requests one run of it made.
func (d demo) quickstart(ctx context.Context, title string) (int, error) {
	fmt.Printf("== %s\n", title)
	before := d.server.Count(msaltest.KindToken)
	if err := d.command(ctx, "quickstart", filepath.Join(d.dir, "quickstart", "token-cache")).Run(); err != nil {
		return 0, fmt.Errorf("%s: %w", title, err)
	}
	return d.server.Count(msaltest.KindToken) - before, nil
}

// storm has all processes sign in at once and a last one count.
func (d demo) storm(ctx context.Context) error {
	fmt.Printf("== %d processes sign in %d people each\n", processes, signIns)
	location := filepath.Join(d.dir, "storm", "token-cache")
	start := time.Now()
	if err := d.signInAtOnce(ctx, location); err != nil {
		return err
	}
	took := time.Since(start)
	if err := d.command(ctx, "demo", "count", location).Run(); err != nil {
		return fmt.Errorf("counting: %w", err)
	}
	fmt.Printf("in %.1f seconds\n", took.Seconds())
	return nil
}

// signInAtOnce returns when no process runs any more; the first that fails
// ends the others.
func (d demo) signInAtOnce(ctx context.Context, location string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for i := range processes {
		wg.Go(func() {
			if err := d.command(ctx, "demo", "sign-in", location, strconv.Itoa(i)).Run(); err != nil {
				cancel(fmt.Errorf("process %d: %w", i, err))
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// command is a program that lies beside this one, with the fake in its
// environment.
func (d demo) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	cmd := exec.CommandContext(ctx, filepath.Join(filepath.Dir(self), program+filepath.Ext(self)), args...)
	cmd.Env = append(os.Environ(), d.server.Env()...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd
}
