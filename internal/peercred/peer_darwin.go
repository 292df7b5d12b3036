package peercred

import "golang.org/x/sys/unix"

const (
	// Supported tells whether this system says who the peer is.
	Supported = true
	// TellsPID tells whether this system says which process the peer is.
	TellsPID = true
)

func peerOf(fd int) (Peer, error) {
	u, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil {
		return Peer{}, err
	}
	pid, err := unix.GetsockoptInt(fd, unix.SOL_LOCAL, unix.LOCAL_PEERPID)
	if err != nil {
		return Peer{}, err
	}
	return Peer{UID: int(u.Uid), PID: pid}, nil
}
