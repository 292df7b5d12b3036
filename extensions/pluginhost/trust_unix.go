//go:build unix

package pluginhost

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// trust says who may own and write what decides which code runs.
type trust struct {
	owner   func(uid uint32) bool
	private func(gid, owner uint32) bool // a group with nobody in it but the owner
}

// trusted is root, and unless strict the effective user.
func trusted(strict bool) trust {
	self := uint32(os.Geteuid())
	return trust{
		owner:   func(uid uint32) bool { return uid == 0 || !strict && uid == self },
		private: privateGroup,
	}
}

// check refuses a file or directory that others own or can write. A sticky
// directory of root is fine for all but the last step: there, nobody can
// rename what isn't theirs.
func (t trust) check(path string, info os.FileInfo, sticky bool) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("%s: its owner isn't known", path)
	}
	uid, gid := st.Uid, st.Gid
	if !t.owner(uid) {
		return unsafeError{reason: fmt.Sprintf("%s belongs to user %d", path, uid), hint: t.hint(path)}
	}
	if sticky && uid == 0 && info.Mode()&os.ModeSticky != 0 {
		return nil
	}
	switch perm := info.Mode().Perm(); {
	case perm&0o002 != 0:
		return unsafeError{reason: path + " can be written by everyone", hint: "run: chmod o-w " + path}
	case perm&0o020 != 0 && (!t.private(gid, uid) || hasACL(path)):
		return unsafeError{reason: fmt.Sprintf("%s can be written by group %d", path, gid), hint: "run: chmod g-w " + path}
	}
	return nil
}

func (t trust) hint(path string) string {
	if t.owner(uint32(os.Geteuid())) {
		return "make it belong to root or to the user who runs the program: " + path
	}
	return "make it belong to root: " + path
}

func ownerOf(info os.FileInfo) uint32 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Uid
	}
	return ^uint32(0)
}

// privateGroup tells whether a group is the one that many systems make for
// each user, and has no other member. On macOS, who is in admin may become
// root anyway, and owns /Applications and Homebrew's directories jointly.
func privateGroup(gid, owner uint32) bool {
	const darwinAdmin = 80
	if runtime.GOOS == "darwin" && gid == darwinAdmin {
		return true
	}
	users, err := os.ReadFile("/etc/passwd")
	if err != nil {
		return false
	}
	groups, err := os.ReadFile("/etc/group")
	return err == nil && alone(users, groups, gid, owner)
}

// alone reads passwd(5) and group(5): the group is the owner's primary one and
// nobody else's, bears the owner's name, and lists nobody else.
func alone(users, groups []byte, gid, owner uint32) bool {
	id := strconv.FormatUint(uint64(gid), 10)
	name := ""
	for _, u := range records(users, 4) {
		isOwner := u[2] == strconv.FormatUint(uint64(owner), 10)
		switch {
		case u[3] == id && !isOwner:
			return false
		case u[3] == id:
			name = u[0]
		}
	}
	for _, g := range records(groups, 4) {
		if g[2] == id {
			return name != "" && g[0] == name && (g[3] == "" || g[3] == name)
		}
	}
	return false
}

func records(file []byte, fields int) [][]string {
	var all [][]string
	for line := range bytes.Lines(file) {
		if r := strings.Split(strings.TrimSpace(string(line)), ":"); len(r) >= fields {
			all = append(all, r)
		}
	}
	return all
}
