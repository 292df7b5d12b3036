package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
	"golang.org/x/sys/unix"
)

// onFiles are the system calls that look at files, by what they are called
// here; those that only some architectures have aren't used by Go.
var onFiles = map[uint64]string{
	unix.SYS_NEWFSTATAT: "stat", unix.SYS_STATX: "stat", unix.SYS_FSTAT: "stat",
	unix.SYS_OPENAT: "open", unix.SYS_READLINKAT: "readlink", unix.SYS_FACCESSAT: "access",
	unix.SYS_FCNTL: "fcntl", unix.SYS_FLOCK: "flock",
}

// statsPerRead counts what a process does for each silent call, from outside:
// one that makes 150 against one that makes 50.
func statsPerRead(ctx context.Context, location string) (string, error) {
	const few, many = 50, 150
	var counts [2]map[uint64]int
	for i, calls := range []int{few, many} {
		var err error
		if counts[i], err = traced(ctx, "silent", location, strconv.Itoa(calls)); err != nil {
			return "", err
		}
	}
	perRead := map[string]int{}
	for nr, name := range onFiles {
		perRead[name] += counts[1][nr] - counts[0][nr]
	}
	var all []string
	for name, n := range perRead {
		if n != 0 {
			all = append(all, fmt.Sprintf("%s %g", name, float64(n)/(many-few)))
		}
	}
	return strings.Join(all, ", "), nil
}

// silentChild makes silent calls, with a token that is stored and without a
// network.
func silentChild(args []string) error {
	ctx := context.Background()
	calls, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	client, err := oursClient(ctx, &http.Client{Transport: offline{}}, args[0])
	if err != nil {
		return err
	}
	accounts, err := client.Accounts(ctx)
	if err != nil {
		return err
	}
	time.Sleep(settle)
	for range 2 + calls { // the first two read the file
		if _, err := client.AcquireTokenSilent(ctx, scopes, public.WithSilentAccount(accounts[0])); err != nil {
			return err
		}
	}
	return nil
}

type offline struct{}

func (offline) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("a silent call of a cached token went to the network")
}

// traced runs this program again as a child and counts its system calls, those
// of all threads, by number.
func traced(ctx context.Context, args ...string) (map[uint64]int, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	runtime.LockOSThread() // ptrace(2) is answered to the thread that traces
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Stderr = os.Stderr
	// A group of its own tells its threads from other children in wait4(2).
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true, Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	pid := cmd.Process.Pid
	var status unix.WaitStatus
	if _, err := unix.Wait4(pid, &status, 0, nil); err != nil {
		return nil, err
	}
	const options = unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_EXITKILL
	if err := errors.Join(unix.PtraceSetOptions(pid, options), unix.PtraceSyscall(pid, 0)); err != nil {
		return nil, fmt.Errorf("tracing is needed to count system calls: %w", err)
	}
	return follow(pid)
}

// follow sees a traced process to its end.
func follow(pid int) (map[uint64]int, error) {
	counts := map[uint64]int{}
	for {
		var status unix.WaitStatus
		thread, err := unix.Wait4(-pid, &status, unix.WALL, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if thread == pid && (status.Exited() || status.Signaled()) {
			if status.ExitStatus() != 0 {
				return nil, errors.New("the traced process failed")
			}
			return counts, nil
		}
		if !status.Stopped() {
			continue
		}
		signal := 0
		switch stop := status.StopSignal(); {
		case stop == unix.SIGTRAP|0x80:
			if nr, entry := syscallOf(thread); entry {
				counts[nr]++
			}
		case stop != unix.SIGTRAP && stop != unix.SIGSTOP:
			signal = int(stop)
		}
		_ = unix.PtraceSyscall(thread, signal) // a thread that has just ended can't go on
	}
}

// syscallOf asks, as ptrace(2) has it under PTRACE_GET_SYSCALL_INFO, what a
// stopped thread is about to call.
func syscallOf(thread int) (nr uint64, entry bool) {
	var info struct {
		op     uint8
		_      [3]uint8
		arch   uint32
		ip, sp uint64
		nr     uint64
		rest   [9]uint64
	}
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_GET_SYSCALL_INFO, uintptr(thread),
		unsafe.Sizeof(info), uintptr(unsafe.Pointer(&info)), 0, 0)
	return info.nr, errno == 0 && info.op == unix.PTRACE_SYSCALL_INFO_ENTRY
}
