package wire

import (
	"context"
	"errors"

	"github.com/msalext/msalext/extensions/backend"
	pb "github.com/msalext/msalext/internal/wire/persistencepb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// errShutdown is what calls get while the plugin shuts down: a bare
// Unavailable, which clients take for a lost connection and start again.
var errShutdown = errors.New("the plugin is shutting down")

// encode makes the status that carries err to the client; nil stays nil.
func encode(op string, err error, s *scrubber) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errShutdown):
		return status.Error(codes.Unavailable, errShutdown.Error())
	}
	detail, code := detailOf(op, err)
	detail.Op, detail.Message, detail.Hint = s.clean(detail.Op), s.clean(detail.Message), s.clean(detail.Hint)
	st, failed := status.New(code, or(detail.Message, code.String())).WithDetails(detail)
	if failed != nil { // only for code OK, which no row has
		return status.Error(code, detail.Message)
	}
	return st.Err()
}

func detailOf(op string, err error) (*pb.ErrorDetail, codes.Code) {
	kind, code := toKind(err)
	d := &pb.ErrorDetail{Kind: kind, Op: op}
	if ended := contextCode(err); ended != codes.OK {
		code = ended
	}
	d.Message = err.Error()
	if e, ok := errors.AsType[*backend.Error](err); ok {
		d.Op, d.Hint = or(e.Op, op), e.Hint
		if e == err {
			d.Message = cause(e)
		}
	}
	if k, known := fromKind(kind); known && err == k {
		d.Message = "" // a bare kind is its own message
	}
	return d, code
}

func cause(e *backend.Error) string {
	if e.Err == nil {
		return ""
	}
	return e.Err.Error()
}

func contextCode(err error) codes.Code {
	switch {
	case errors.Is(err, context.Canceled):
		return codes.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return codes.DeadlineExceeded
	}
	return codes.OK
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
