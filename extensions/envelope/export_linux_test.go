package envelope

import (
	"strings"

	"golang.org/x/sys/unix"
)

// KernelKeyringAt is KernelKeyring on another machine, or after a reboot.
func KernelKeyringAt(name, machineID, bootID string) Keys {
	k := newKernel(name)
	k.now = func() (era, error) {
		e, _ := eraOf(machineID, bootID)
		return e, nil
	}
	return &kernelKeys{k}
}

// ForgetKernelKeys removes a name's keys, as a reboot does, and returns how many
// links to them there were.
func ForgetKernelKeys(name string) (n int, err error) {
	return forget(name, func(rings []int) []int { return rings })
}

// ForgetUserKeyring removes a name's keys from the user keyring alone, as kernels
// before 5.3 do when the user's last process ends. It tells whether there is
// another keyring.
func ForgetUserKeyring(name string) (others bool, err error) {
	_, err = forget(name, func(rings []int) []int {
		others = len(rings) > 1
		return rings[:1]
	})
	return others, err
}

func forget(name string, which func(rings []int) []int) (n int, err error) {
	prefix := newKernel(name).prefix
	err = withRings(func(rings []int) error {
		for _, ring := range which(rings) {
			serials, err := members(ring)
			if err != nil {
				return err
			}
			for _, serial := range serials {
				text, err := unix.KeyctlString(unix.KEYCTL_DESCRIBE, serial)
				if err != nil || !strings.Contains(text, ";"+prefix) {
					continue
				}
				if _, err := unix.KeyctlInt(unix.KEYCTL_UNLINK, serial, ring, 0, 0); err != nil {
					return err
				}
				n++
			}
		}
		return nil
	})
	return n, err
}

// DescribeKernelKeys returns the kernel's own words on a name's keys.
func DescribeKernelKeys(name string) (texts []string, err error) {
	prefix := newKernel(name).prefix
	err = withRings(func(rings []int) error {
		serials, err := members(rings[0])
		for _, serial := range serials {
			if text, derr := unix.KeyctlString(unix.KEYCTL_DESCRIBE, serial); derr == nil && strings.Contains(text, ";"+prefix) {
				texts = append(texts, text)
			}
		}
		return err
	})
	return texts, err
}
