package main

import (
	"context"
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
	{exitDenied, "not allowed, not confirmed, or a plugin that is refused"},
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

func codeOf(err error) int {
	e, coded := errors.AsType[*codedError](err)
	switch {
	case coded:
		return e.code
	case isUsage(err):
		return exitUsage
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	if code, ok := exitOf[backend.KindOf(err)]; ok {
		return code
	}
	return exitFailed
}

// isUsage tells a mistake in the arguments. Cobra has no types for those that it
// finds itself.
func isUsage(err error) bool {
	_, ok := errors.AsType[*usageError](err)
	return ok || strings.HasPrefix(err.Error(), "unknown command") || strings.HasPrefix(err.Error(), "required flag(s)")
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
