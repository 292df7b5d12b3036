//go:build !linux && !darwin && !freebsd

package peercred

import "errors"

const (
	// Supported tells whether this system says who the peer is.
	Supported = false
	// TellsPID tells whether this system says which process the peer is.
	TellsPID = false
)

func peerOf(int) (Peer, error) { return Peer{}, errors.ErrUnsupported }
