"""Failures, as the protocol wants them told."""

import functools
import inspect

import grpc
from google.protobuf import any_pb2
from google.rpc import status_pb2

from . import persistence_pb2 as pb

CODES = {
    pb.ERROR_KIND_NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    pb.ERROR_KIND_CONFLICT: grpc.StatusCode.ABORTED,
    pb.ERROR_KIND_DENIED: grpc.StatusCode.PERMISSION_DENIED,
    pb.ERROR_KIND_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    pb.ERROR_KIND_INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    pb.ERROR_KIND_CLOSED: grpc.StatusCode.FAILED_PRECONDITION,
    pb.ERROR_KIND_CORRUPT: grpc.StatusCode.DATA_LOSS,
}


class Failure(Exception):
    """A call that failed, and of what kind. Its texts hold nothing of an item."""

    def __init__(self, kind, message="", hint=""):
        super().__init__(message)
        self.detail = pb.ErrorDetail(kind=kind, message=message, hint=hint)

    def tell(self, context):
        """Ends the call with gRPC's code and the protocol's detail."""
        code = CODES[self.detail.kind]
        packed = any_pb2.Any()
        packed.Pack(self.detail)
        status = status_pb2.Status(code=code.value[0], message=self.detail.message, details=[packed])
        context.set_trailing_metadata([("grpc-status-details-bin", status.SerializeToString())])
        context.abort(code, self.detail.message)


def from_system(error):
    """Tells "not allowed" from "not there": hosts treat them differently."""
    kind = pb.ERROR_KIND_DENIED if isinstance(error, PermissionError) else pb.ERROR_KIND_UNAVAILABLE
    return Failure(kind, error.strerror or type(error).__name__)


def told(call):
    """Makes a method that raises Failure or OSError one that gRPC can serve."""

    @functools.wraps(call)
    def single(self, request, context):
        try:
            return call(self, request)
        except Failure as failure:
            failure.tell(context)
        except OSError as error:
            from_system(error).tell(context)

    @functools.wraps(call)
    def stream(self, request, context):
        try:
            yield from call(self, request)
        except Failure as failure:
            failure.tell(context)
        except OSError as error:
            from_system(error).tell(context)

    return stream if inspect.isgeneratorfunction(call) else single
