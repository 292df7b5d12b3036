package wire

import (
	"errors"

	"github.com/msalext/msalext/extensions/backend"
	pb "github.com/msalext/msalext/internal/wire/persistencepb"
	"google.golang.org/grpc/codes"
)

// table is the whole correspondence of errors, read in both directions: the
// first row with the value at hand holds. No row has Canceled or
// DeadlineExceeded: those two codes tell that a context ended, whatever the
// kind.
var table = []struct {
	kind error
	wire pb.ErrorKind
	code codes.Code
}{
	{backend.ErrNotFound, pb.ErrorKind_ERROR_KIND_NOT_FOUND, codes.NotFound},
	{backend.ErrConflict, pb.ErrorKind_ERROR_KIND_CONFLICT, codes.Aborted},
	{backend.ErrLocked, pb.ErrorKind_ERROR_KIND_LOCKED, codes.FailedPrecondition},
	{backend.ErrDenied, pb.ErrorKind_ERROR_KIND_DENIED, codes.PermissionDenied},
	{backend.ErrUnavailable, pb.ErrorKind_ERROR_KIND_UNAVAILABLE, codes.Unavailable},
	{backend.ErrUnsupported, pb.ErrorKind_ERROR_KIND_UNSUPPORTED, codes.Unimplemented},
	{backend.ErrCorrupt, pb.ErrorKind_ERROR_KIND_CORRUPT, codes.DataLoss},
	{backend.ErrDecrypt, pb.ErrorKind_ERROR_KIND_DECRYPT, codes.DataLoss},
	{backend.ErrEncrypt, pb.ErrorKind_ERROR_KIND_ENCRYPT, codes.Internal},
	{backend.ErrTooLarge, pb.ErrorKind_ERROR_KIND_TOO_LARGE, codes.ResourceExhausted},
	{backend.ErrTimeout, pb.ErrorKind_ERROR_KIND_TIMEOUT, codes.Unavailable},
	{backend.ErrLockTimeout, pb.ErrorKind_ERROR_KIND_LOCK_TIMEOUT, codes.Aborted},
	{backend.ErrBackendChanged, pb.ErrorKind_ERROR_KIND_BACKEND_CHANGED, codes.FailedPrecondition},
	{backend.ErrPluginNotFound, pb.ErrorKind_ERROR_KIND_PLUGIN_NOT_FOUND, codes.Unavailable},
	{backend.ErrPluginRefused, pb.ErrorKind_ERROR_KIND_PLUGIN_REFUSED, codes.PermissionDenied},
	{backend.ErrInvalid, pb.ErrorKind_ERROR_KIND_INVALID, codes.InvalidArgument},
	{backend.ErrClosed, pb.ErrorKind_ERROR_KIND_CLOSED, codes.FailedPrecondition},
	// Codes that only plugins without details send.
	{backend.ErrDenied, pb.ErrorKind_ERROR_KIND_DENIED, codes.Unauthenticated},
	{backend.ErrConflict, pb.ErrorKind_ERROR_KIND_CONFLICT, codes.AlreadyExists},
}

// toKind returns the wire form of an error's kind; one without a kind is
// unspecified.
func toKind(err error) (pb.ErrorKind, codes.Code) {
	kind := backend.KindOf(err)
	for _, row := range table {
		if kind != nil && errors.Is(kind, row.kind) {
			return row.wire, row.code
		}
	}
	return pb.ErrorKind_ERROR_KIND_UNSPECIFIED, codes.Unknown
}

// fromKind returns the kind that a detail names, and whether this host knows
// it; a newer plugin's unknown one counts as unavailable.
func fromKind(k pb.ErrorKind) (kind error, known bool) {
	for _, row := range table {
		if row.wire == k {
			return row.kind, true
		}
	}
	return backend.ErrUnavailable, false
}

// fromCode returns the kind of a failure that came without details, and
// whether the code says as much. Crashed handlers and gRPC itself send Unknown
// and Internal.
func fromCode(c codes.Code) (kind error, known bool) {
	for _, row := range table {
		if row.code == c && c != codes.Internal {
			return row.kind, true
		}
	}
	return backend.ErrUnavailable, false
}
