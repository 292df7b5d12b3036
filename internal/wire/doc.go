// Package wire carries backend.Backend and backend.Store across gRPC, in both
// directions: [Register] serves a backend, [NewClient] is one that speaks to a
// served one. docs/protocol.md describes the protocol for authors in other
// languages.
//
// Neither side trusts the other. The client checks every answer and treats one
// that breaks the protocol as backend.ErrUnavailable; both sides make every
// text printable, cut it and remove the values of secret settings from it; a
// panic of the backend becomes an error that shows nothing of its value.
//
// Errors keep their kind, operation, hint and context cause: errors.Is and
// errors.As give the same answers as in process. A connection that is gone is
// backend.ErrUnavailable and [ErrLost].
package wire
