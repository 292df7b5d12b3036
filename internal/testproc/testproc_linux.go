package testproc

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Nobody is the user and group id of [AsNobody] when the test runs as root.
const Nobody = 65534

// executable is the running file by a name that works for every user: the
// directory that "go test" builds in is private.
func executable() (string, error) { return "/proc/self/exe", nil }

// AsNobody makes the process run without privilege: as Nobody when the test
// runs as root, else as the test's own user.
func AsNobody(cmd *exec.Cmd) *exec.Cmd {
	if os.Geteuid() == 0 {
		attr(cmd).Credential = &syscall.Credential{Uid: Nobody, Gid: Nobody}
	}
	return cmd
}

// AsRoot makes the process run as root: really, or in a user namespace when
// the test runs without privilege.
func AsRoot(cmd *exec.Cmd) *exec.Cmd {
	if os.Geteuid() != 0 {
		a := attr(cmd)
		a.Cloneflags |= syscall.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return cmd
}

// WithOwnMounts lets the process mount file systems that nobody else sees.
func WithOwnMounts(cmd *exec.Cmd) *exec.Cmd {
	attr(AsRoot(cmd)).Cloneflags |= syscall.CLONE_NEWNS
	return cmd
}

// MountTmpfs mounts an empty file system of the given size over dir, for a
// process started by [WithOwnMounts].
func MountTmpfs(dir, size string) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return os.NewSyscallError("make mounts private", err)
	}
	return os.NewSyscallError("mount tmpfs", syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size))
}

// Stop stops a process as a debugger would, and returns once it stands: the
// signal reaches its threads one by one, and until then the others go on.
func Stop(pid int) error {
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return os.NewSyscallError("stop", err)
	}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if standing(pid) {
			return nil
		}
	}
	return errors.New("the process didn't stop")
}

// standing tells whether all threads of a process are stopped.
func standing(pid int) bool {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil || len(threads) == 0 {
		return false
	}
	for _, path := range threads {
		stat, err := os.ReadFile(path)
		if err != nil {
			return false
		}
		after := stat[bytes.LastIndexByte(stat, ')')+1:] // pid (name) state …
		if !bytes.HasPrefix(after, []byte(" T")) {
			return false
		}
	}
	return true
}

func attr(cmd *exec.Cmd) *syscall.SysProcAttr {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	return cmd.SysProcAttr
}
