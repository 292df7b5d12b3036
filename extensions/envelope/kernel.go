package envelope

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// KernelKeyring keeps a key in the memory of the Linux kernel: encrypted data on
// the disk, no password and no key store, until the next reboot. Programs of one
// user that give the same name share the key.
//
// The key lies in the user keyring, and where the kernel has them in the user's
// persistent keyring too. Before Linux 5.3 a user keyring goes with the user's
// last process, and a persistent one 3 days after its last use; since then the
// user keyring stays until the reboot. The session keyring would not do: it ends
// with the login, and other logins don't see it. Only who possesses the key may
// read it, which is every process of the same user, since all of them may search
// the user keyring; so it is on a par with an unlocked key store.
//
// After a reboot the key is gone for good, and what it encrypted counts as not
// stored, with a warning: the first Save puts the dead ciphertext aside, as the
// item's key with ".lapsed" behind it, and starts anew. That is done only where
// the key's ID names an earlier boot of this very machine; of another machine,
// as where a home is shared, or of this boot, it is ErrDecrypt.
//
// ErrUnavailable: the kernel has no keyrings, or a container forbids them (ENOSYS
// and EPERM of a seccomp filter), or the user's quota is spent; or the process is
// in a user namespace, as in a rootless container, whose keyrings go with it.
// ErrUnsupported: this system isn't Linux.
func KernelKeyring(name string) Keys { return &kernelKeys{newKernel(name)} }

type kernelKeys struct{ kernel }

var (
	_ Keys    = (*kernelKeys)(nil)
	_ Creator = (*kernelKeys)(nil)
	_ Lapser  = (*kernelKeys)(nil)
)

// Source says how long the key lives.
func (*kernelKeys) Source() string { return "the Linux kernel keyring, lost at reboot" }

// Lapsed tells whether a key is of an earlier boot of this machine.
func (k *kernelKeys) Lapsed(id string) bool {
	theirs, ok := parseEra(id)
	ours, err := k.now()
	return ok && err == nil && theirs.machine == ours.machine && ours.machine != unknownMachine && theirs.boot != ours.boot
}

// era is a time from boot to reboot of a machine. A key's ID begins with it:
//
//	kernel:<machine>:<boot>:<random>
type era struct{ machine, boot string }

const (
	eraKind        = "kernel"
	unknownMachine = "unknown"
)

func (e era) prefix() string { return eraKind + ":" + e.machine + ":" + e.boot + ":" }

func parseEra(id string) (era, bool) {
	parts := strings.Split(id, ":")
	if len(parts) != 4 || parts[0] != eraKind || parts[1] == "" || len(parts[2]) != 32 {
		return era{}, false
	}
	return era{parts[1], parts[2]}, true
}

// eraOf makes the texts of /etc/machine-id and the kernel's boot_id an era. A
// machine's ID is to be kept from others, says machine-id(5), so a hash of it is
// stored; a machine without one can't be told from others.
func eraOf(machineID, bootID string) (era, bool) {
	boot := strings.ReplaceAll(strings.TrimSpace(bootID), "-", "")
	if _, err := hex.DecodeString(boot); err != nil || len(boot) != 32 {
		return era{}, false
	}
	machineID = strings.TrimSpace(machineID)
	if _, err := hex.DecodeString(machineID); err != nil || len(machineID) != 32 {
		return era{unknownMachine, boot}, true
	}
	mac := hmac.New(sha256.New, []byte(machineID))
	mac.Write([]byte("msalext envelope machine"))
	return era{hex.EncodeToString(mac.Sum(nil)[:8]), boot}, true
}
