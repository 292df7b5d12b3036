package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions/backend"
)

// The exit codes, for scripts. They don't change.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitLocked      = 4
	exitDenied      = 5
	exitUnavailable = 6
	exitUnreadable  = 7
	exitChanged     = 8
	exitBusy        = 9
	exitInterrupted = 130 // as a shell reports SIGINT
)

var exitTexts = []struct {
	code int
	text string
}{
	{exitOK, "done"},
	{exitFailed, "failed, for a reason that has no code of its own"},
	{exitUsage, "wrong arguments, settings or location"},
	{exitNotFound, "nothing is stored there"},
	{exitLocked, "the store is locked, and a person must unlock it"},
	{exitDenied, "not allowed, or not confirmed"},
	{exitUnavailable, "the store or its plugin isn't there, or doesn't answer"},
	{exitUnreadable, "what is stored can't be read: damaged, or its key is missing"},
	{exitChanged, "another backend keeps the cache, or would keep it in plain text"},
	{exitBusy, "another program has the lock, or keeps changing the cache"},
	{exitInterrupted, "interrupted"},
}

var exitOf = map[error]int{
	backend.ErrInvalid:        exitUsage,
	backend.ErrNotFound:       exitNotFound,
	backend.ErrLocked:         exitLocked,
	backend.ErrDenied:         exitDenied,
	backend.ErrUnavailable:    exitUnavailable,
	backend.ErrUnsupported:    exitUnavailable,
	backend.ErrPluginNotFound: exitUnavailable,
	backend.ErrPluginRefused:  exitDenied,
	backend.ErrTimeout:        exitUnavailable,
	backend.ErrCorrupt:        exitUnreadable,
	backend.ErrDecrypt:        exitUnreadable,
	backend.ErrBackendChanged: exitChanged,
	backend.ErrConflict:       exitBusy,
	backend.ErrLockTimeout:    exitBusy,
}

// usageError is a mistake in the arguments.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

// arguments demands n of them, which are what.
func arguments(n int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != n {
			return usage("%d arguments are given: name %s", len(args), what)
		}
		return nil
	}
}

var location = arguments(1, "one LOCATION")

func usage(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// report tells the person, or with --json the script, what went wrong.
func (c *command) report(err error) int {
	if err == nil {
		return exitOK
	}
	code := codeOf(err)
	if c.json {
		_ = json.NewEncoder(c.err).Encode(failure{Error: err.Error(), Code: code, Hint: hintOf(err)})
		return code
	}
	fmt.Fprintln(c.err, "msalext:", bare(err))
	return code
}

// bare is an error without the name of this program before it.
func bare(err error) string { return strings.TrimPrefix(err.Error(), "msalext: ") }

type failure struct {
	Error string `json:"error"`
	Code  int    `json:"code"`
	Hint  string `json:"hint,omitempty"`
}

func hintOf(err error) string {
	if e, ok := errors.AsType[*backend.Error](err); ok {
		return e.Hint
	}
	return ""
}

func codeOf(err error) int {
	if _, ok := errors.AsType[*usageError](err); ok || strings.HasPrefix(err.Error(), "unknown command") {
		return exitUsage // cobra has no type for that one
	}
	if errors.Is(err, context.Canceled) {
		return exitInterrupted
	}
	if code, ok := exitOf[backend.KindOf(err)]; ok {
		return code
	}
	return exitFailed
}

func exitCodes() *cobra.Command {
	var b strings.Builder
	for _, e := range exitTexts {
		fmt.Fprintf(&b, "%5d  %s\n", e.code, e.text)
	}
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "What the exit codes mean",
		Long:  b.String(),
	}
}
