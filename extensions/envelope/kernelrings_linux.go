package envelope

import (
	"encoding/binary"
	"runtime"

	"golang.org/x/sys/unix"
)

// withRings calls fn with the user's keyrings that outlive a login, in the
// possession of the calling thread: without it, a process whose session keyring
// doesn't lead to the user keyring, such as a systemd service, may find a key
// and not read it. Keyrings belong to threads, and Go moves goroutines between
// those, hence the lock.
func withRings(fn func(rings []int) error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const op = "open the kernel keyring"
	user, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_USER_KEYRING, true)
	if err != nil {
		return kernelError(op, err)
	}
	if err := link(unix.KEY_SPEC_USER_KEYRING, unix.KEY_SPEC_THREAD_KEYRING); err != nil {
		return kernelError(op, err)
	}
	defer unlink(user)
	rings := []int{user}
	persistent, err := unix.KeyctlInt(unix.KEYCTL_GET_PERSISTENT, -1, unix.KEY_SPEC_THREAD_KEYRING, 0, 0)
	if err == nil { // kernels may have been built without
		defer unlink(persistent)
		rings = append(rings, persistent)
	}
	return fn(rings)
}

func unlink(ring int) {
	_, _ = unix.KeyctlInt(unix.KEYCTL_UNLINK, ring, unix.KEY_SPEC_THREAD_KEYRING, 0, 0)
}

// members lists the serial numbers of what is in a keyring.
func members(ring int) ([]int, error) {
	for room := 64; ; {
		data := make([]byte, 4*room)
		n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, ring, data, 0)
		if err != nil {
			return nil, err
		}
		if n > len(data) { // more was added meanwhile
			room = n/4 + 64
			continue
		}
		var serials []int
		for i := 0; i+4 <= n; i += 4 {
			serials = append(serials, int(int32(binary.NativeEndian.Uint32(data[i:]))))
		}
		return serials, nil
	}
}
