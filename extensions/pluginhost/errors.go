package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/wire"
)

// ErrLost marks, by errors.Is, the errors of calls whose plugin process ended,
// or whose connection broke, before the answer came. Their kind is
// ErrUnavailable, as that of a store that the plugin itself can't reach; this
// tells the two apart. Whether a Save or Delete took effect is not known.
var ErrLost = wire.ErrLost

// Faulty tells, of a call's error, that the plugin didn't work as a plugin
// should: it ended, broke the protocol, crashed in the call, or failed without
// saying how. Such an error may have the kind ErrUnavailable and yet says
// nothing of whether the store is there.
func Faulty(err error) bool {
	return errors.Is(err, wire.ErrLost) || errors.Is(err, wire.ErrProtocol) || errors.Is(err, wire.ErrUnexplained)
}

// NotFoundError tells where a plugin was looked for. It is in the chain of
// errors of the kind backend.ErrPluginNotFound.
type NotFoundError struct {
	Name     string
	Searched []string // directories, in order
}

// Error names the file and the directories.
func (e *NotFoundError) Error() string {
	if len(e.Searched) == 0 {
		return "no directory to search for " + fileName(e.Name)
	}
	return fmt.Sprintf("no %s in %s", fileName(e.Name), strings.Join(e.Searched, ", "))
}

// RefusedError tells why a plugin that is there was not used. It is in the
// chain of errors of the kind backend.ErrPluginRefused.
type RefusedError struct {
	Name   string
	Path   string // of the binary; of the running program, when that is the plugin; empty where no plugin may run
	Reason string
}

// Error is the path and the reason.
func (e *RefusedError) Error() string {
	if e.Path == "" {
		return e.Reason
	}
	return fmt.Sprintf("%s: %s", e.Path, e.Reason)
}

func notFound(name string, searched []string) error {
	return &backend.Error{
		Op: "start plugin", Backend: name, Kind: backend.ErrPluginNotFound,
		Err:  &NotFoundError{Name: name, Searched: searched},
		Hint: "install " + fileName(name) + " into one of these directories, or link the backend into the program",
	}
}

func refused(name, path, hint, reason string, args ...any) error {
	return &backend.Error{
		Op: "start plugin", Backend: name, Kind: backend.ErrPluginRefused,
		Err:  &RefusedError{Name: name, Path: path, Reason: fmt.Sprintf(reason, args...)},
		Hint: hint,
	}
}

func closedError(op, name string) error {
	return &backend.Error{Op: op, Backend: name, Kind: backend.ErrClosed}
}

// errNoAnswer is the cause of errors of the kind backend.ErrTimeout.
var errNoAnswer = errors.New("no answer from the plugin")

func timeoutError(op, name string, after time.Duration) error {
	return &backend.Error{
		Op: op, Backend: name, Kind: backend.ErrTimeout,
		Err:  fmt.Errorf("%w within %v", errNoAnswer, after),
		Hint: "try again; a plugin that hangs is ended and started afresh",
	}
}

// ended is the error of a caller whose own context is over.
func ended(op, name string, ctx context.Context) error {
	return &backend.Error{Op: op, Backend: name, Err: ctx.Err()}
}
