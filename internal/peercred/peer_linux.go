package peercred

import "golang.org/x/sys/unix"

const (
	// Supported tells whether this system says who the peer is.
	Supported = true
	// TellsPID tells whether this system says which process the peer is.
	TellsPID = true
)

func peerOf(fd int) (Peer, error) {
	u, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return Peer{}, err
	}
	return Peer{UID: int(u.Uid), PID: int(u.Pid)}, nil
}
