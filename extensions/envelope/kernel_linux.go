package envelope

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/msalext/msalext/extensions/backend"
)

// kernel is where a name's keys lie. Each key has a description of its own, so
// that two processes that make one at once don't overwrite each other's: then
// there are two, everybody reads with both and writes with the one whose ID is
// least.
type kernel struct {
	prefix string // of the descriptions
	now    func() (era, error)
}

func newKernel(name string) kernel {
	sum := sha256.Sum256([]byte(name))
	return kernel{"msalext:" + hex.EncodeToString(sum[:8]) + ":", currentEra}
}

// firstUsers is the user namespace that the kernel starts with, by a number that
// never changes (PROC_USER_INIT_INO in its proc_ns.h).
const firstUsers = "user:[4026531837]"

// currentEra reads what names machine and boot.
//
// User namespaces have keyrings of their own, which go with the container or the
// service: long before the reboot, and without a sign of it in the key's ID.
func currentEra() (era, error) {
	if users, err := os.Readlink("/proc/self/ns/user"); err == nil && users != firstUsers {
		return era{}, unavailable(errors.New("the keys of a user namespace go with it, long before a reboot"),
			"run the program outside of a rootless container (systemd: without PrivateUsers), or use another source of keys")
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return era{}, unavailable(err, "mount /proc")
	}
	machine, err := os.ReadFile("/etc/machine-id")
	if err != nil {
		machine, _ = os.ReadFile("/var/lib/dbus/machine-id") // without either no ciphertext is given up
	}
	e, ok := eraOf(string(machine), string(boot))
	if !ok {
		return era{}, unavailable(errors.New("the kernel's boot_id can't be understood"), "use another source of keys")
	}
	return e, nil
}

// Keys lists the name's keys, those of this boot first. ErrNotFound: there is
// none, and one can be made.
func (k kernel) Keys(context.Context) (Key, []Key, error) {
	now, err := k.now()
	if err != nil {
		return Key{}, nil, err
	}
	var keys []Key
	err = withRings(func(rings []int) error {
		if keys, err = k.list(rings); err == nil && len(keys) == 0 {
			err = creatable()
		}
		return err
	})
	if err == nil && len(keys) == 0 {
		err = &backend.Error{Op: "read the kernel keyring", Kind: backend.ErrNotFound, Err: errors.New("there is no key yet")}
	}
	if err != nil {
		return Key{}, nil, err
	}
	slices.SortFunc(keys, func(a, b Key) int {
		return cmp.Or(cmp.Compare(now.rank(a.ID), now.rank(b.ID)), strings.Compare(a.ID, b.ID))
	})
	return keys[0], keys[1:], nil
}

// rank puts keys of another time behind: a container that says it is one still
// finds the keys of the machine's.
func (e era) rank(id string) int {
	if strings.HasPrefix(id, e.prefix()) {
		return 0
	}
	return 1
}

// list reads the keys in the rings, and sees to it that each ring has all.
func (k kernel) list(rings []int) ([]Key, error) {
	byID := map[string]Key{}
	in := map[int]map[int]bool{} // keys' serial numbers by ring
	for _, ring := range rings {
		serials, err := members(ring)
		if err != nil {
			return nil, kernelError("read the kernel keyring", err)
		}
		in[ring] = map[int]bool{}
		for _, serial := range serials {
			if key, ok := k.read(serial); ok {
				byID[key.ID] = key
				in[ring][serial] = true
			}
		}
	}
	spread(in)
	keys := make([]Key, 0, len(byID))
	for _, key := range byID {
		keys = append(keys, key)
	}
	return keys, nil
}

// spread links each key into each ring, as far as that works: a key lives as
// long as one ring has it.
func spread(in map[int]map[int]bool) {
	for _, serials := range in {
		for serial := range serials {
			for ring := range in {
				if !in[ring][serial] {
					_ = link(serial, ring)
				}
			}
		}
	}
}

// read reads a key if it is one of the name's. What others put into the ring,
// and what expired or was revoked, is passed over.
func (k kernel) read(serial int) (Key, bool) {
	text, err := unix.KeyctlString(unix.KEYCTL_DESCRIBE, serial)
	if err != nil {
		return Key{}, false
	}
	parts := strings.SplitN(text, ";", 5) // type;uid;gid;permissions;description
	if len(parts) != 5 || parts[0] != "user" {
		return Key{}, false
	}
	id, ours := strings.CutPrefix(parts[4], k.prefix)
	key := Key{ID: id}
	n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, serial, key.Secret[:], 0)
	if !ours || err != nil || n != len(key.Secret) || key.usable() != "" {
		return Key{}, false
	}
	return key, true
}

// CreateKey makes a key of this boot.
func (k kernel) CreateKey(context.Context) error {
	now, err := k.now()
	if err != nil {
		return err
	}
	key := NewKey()
	defer clear(key.Secret[:])
	return withRings(func(rings []int) error {
		serial, err := unix.AddKey("user", k.prefix+now.prefix()+key.ID, key.Secret[:], rings[0])
		if err != nil {
			return kernelError("create a key in the kernel keyring", err)
		}
		if err := unix.KeyctlSetperm(serial, possessorOnly); err != nil {
			_, _ = unix.KeyctlInt(unix.KEYCTL_REVOKE, serial, 0, 0, 0)
			return kernelError("protect a key in the kernel keyring", err)
		}
		for _, ring := range rings[1:] {
			_ = link(serial, ring)
		}
		return nil
	})
}

// possessorOnly is all rights for whoever possesses the key, see keyctl(3), and
// none for owner, group and others.
const possessorOnly = 0x3f000000

// creatable sees whether keys can be made at all: a filter may forbid that and
// allow the rest. The trial goes with the thread's keyring.
func creatable() error {
	serial, err := unix.AddKey("user", "msalext:trial", []byte("trial"), unix.KEY_SPEC_THREAD_KEYRING)
	if err != nil {
		return kernelError("create a key in the kernel keyring", err)
	}
	_, _ = unix.KeyctlInt(unix.KEYCTL_UNLINK, serial, unix.KEY_SPEC_THREAD_KEYRING, 0, 0)
	return nil
}

func link(serial, ring int) error {
	_, err := unix.KeyctlInt(unix.KEYCTL_LINK, serial, ring, 0, 0)
	return err
}

func unavailable(err error, hint string) error {
	return &backend.Error{Op: "open the kernel keyring", Kind: backend.ErrUnavailable, Err: err, Hint: hint}
}

// kernelError says what a failure of the kernel's means. What is forbidden
// altogether, as containers do, is as good as missing.
func kernelError(op string, err error) error {
	e := &backend.Error{Op: op, Kind: backend.ErrUnavailable, Err: fmt.Errorf("keyctl: %w", err)}
	switch {
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EPERM):
		e.Hint = "allow add_key and keyctl in the container's seccomp profile, or use another source of keys"
	case errors.Is(err, unix.EACCES):
		e.Kind, e.Hint = backend.ErrDenied, "see whether SELinux, or a change of the keyring's permissions, forbids it"
	case errors.Is(err, unix.EDQUOT):
		e.Hint = "the user's quota of keys is spent (/proc/key-users): remove some, or raise kernel.keys.maxkeys"
	}
	return e
}
