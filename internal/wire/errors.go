package wire

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	pb "github.com/msalext/msalext/internal/wire/persistencepb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// ErrLost tells that the connection is gone or the plugin is shutting down, so
// nothing is known of the call's effect. The error is backend.ErrUnavailable
// too; a plugin's own ErrUnavailable isn't ErrLost.
var ErrLost = errors.New("the connection to the plugin is lost")

// ErrProtocol tells that an answer broke the protocol. The error is
// backend.ErrUnavailable too.
var ErrProtocol = errors.New("the plugin broke the protocol")

// ErrUnexplained tells that the plugin failed and didn't, or couldn't, say of
// what kind the failure is: it crashed in the call, for one. The error is
// backend.ErrUnavailable too.
var ErrUnexplained = errors.New("the plugin failed without saying how")

// origin is what the client knows of a call when its error arrives.
type origin struct {
	op, backend string
	scrub       *scrubber
}

// decode turns what a gRPC call returned into the error of a store; nil stays
// nil. ctx is the caller's.
func (o origin) decode(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	st, _ := status.FromError(err) // what isn't a status becomes one of code Unknown
	if detail, err := detailIn(st); err != nil {
		return o.broke(err.Error())
	} else if detail != nil {
		return o.detailed(st.Code(), detail)
	}
	if ended := endOf(ctx); ended != nil {
		return &backend.Error{Op: o.op, Backend: o.backend, Err: ended}
	}
	return o.bare(st)
}

// endOf is ctx's error, also in the moment between its deadline and the timer
// that ends it, in which gRPC gives up already.
func endOf(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

// detailIn finds the ErrorDetail of a status. Other details, which a hostile
// plugin may send by the thousand, are not decoded.
func detailIn(st *status.Status) (*pb.ErrorDetail, error) {
	for _, any := range st.Proto().GetDetails() {
		if d := new(pb.ErrorDetail); any.MessageIs(d) {
			if err := any.UnmarshalTo(d); err != nil {
				return nil, errors.New("its error can't be read")
			}
			return d, nil
		}
	}
	return nil, nil
}

func (o origin) detailed(code codes.Code, d *pb.ErrorDetail) error {
	e := &backend.Error{
		Op: or(o.scrub.clean(d.Op), o.op), Backend: o.backend,
		Hint: o.scrub.clean(d.Hint), Err: o.cause(code, d.Message),
	}
	switch kind, known := fromKind(d.Kind); {
	case known:
		e.Kind = kind
	case contextOf(code) == nil:
		e.Kind, e.Err = kind, unexplained(e.Err)
	}
	return e
}

// cause rebuilds the cause of an error from its text, so that a context's end
// stays recognisable.
func (o origin) cause(code codes.Code, message string) error {
	message = o.scrub.clean(message)
	ended := contextOf(code)
	switch {
	case ended == nil && message == "":
		return nil
	case ended == nil:
		return errors.New(message)
	case message == "" || message == ended.Error():
		return ended
	}
	return &caused{message, ended}
}

// unexplained marks err, which may be nil.
func unexplained(err error) error {
	if err == nil {
		return ErrUnexplained
	}
	return &caused{err.Error(), ErrUnexplained}
}

type caused struct {
	text  string
	cause error
}

func (c *caused) Error() string { return c.text }
func (c *caused) Unwrap() error { return c.cause }

func contextOf(code codes.Code) error {
	switch code {
	case codes.Canceled:
		return context.Canceled
	case codes.DeadlineExceeded:
		return context.DeadlineExceeded
	}
	return nil
}

// bare is for a status without detail: gRPC's own, or a plugin's that sends
// none.
func (o origin) bare(st *status.Status) error {
	kind, known := fromCode(st.Code())
	e := &backend.Error{Op: o.op, Backend: o.backend, Kind: kind}
	text := o.scrub.clean(st.Message())
	switch st.Code() {
	case codes.Unavailable, codes.Canceled: // gRPC says Canceled of a connection that this side closed
		e.Err = fmt.Errorf("%w: %s", ErrLost, or(text, "no reason given"))
	case codes.DeadlineExceeded: // the plugin's deadline: the caller's ctx has not ended
		e.Kind, e.Err = backend.ErrTimeout, context.DeadlineExceeded
	case codes.ResourceExhausted:
		if e.Err = textual(text); o.op == "load" || o.op == "save" {
			e.Hint = tooLargeHint
		}
	default:
		e.Err = textual(text)
		if !known {
			e.Err = unexplained(e.Err)
		}
	}
	return e
}

var tooLargeHint = fmt.Sprintf("a plugin moves at most %d MiB at once: store less under one key", MaxMessage>>20)

func textual(text string) error {
	if text == "" {
		return nil
	}
	return errors.New(text)
}

// broke is the error of an answer that breaks the protocol.
func (o origin) broke(how string) error {
	return &backend.Error{
		Op: o.op, Backend: o.backend, Kind: backend.ErrUnavailable,
		Err:  fmt.Errorf("%w: %s", ErrProtocol, how),
		Hint: "update the plugin, or report this to its author",
	}
}

func (o origin) fail(kind error, format string, args ...any) error {
	return &backend.Error{Op: o.op, Backend: o.backend, Kind: kind, Err: fmt.Errorf(format, args...)}
}
