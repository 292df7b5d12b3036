package envelope_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/envelope"
	"github.com/msalext/msalext/internal/testproc"
	"github.com/msalext/msalext/plugins/file"
)

func init() { children["kernel"] = kernelChild }

// kernelChild uses the keyring of its user under a name, and says what came of
// it: save, load, forget, describe. Before that it may give up what leads to the
// keyring.
func kernelChild(args []string) error {
	runtime.LockOSThread() // keyrings are a thread's
	ctx := context.Background()
	name, path, hindrance := args[0], args[1], args[2]
	if err := hinder(hindrance); err != nil {
		return err
	}
	inner, err := file.Backend().Open(ctx, backend.Config{Location: path, Path: path})
	if err != nil {
		return err
	}
	s := envelope.Wrap(inner, envelope.KernelKeyring(name), nil)
	for _, do := range args[3:] {
		var err error
		text := ""
		switch do {
		case "ready":
			err = s.Ready(ctx)
		case "save":
			_, err = s.Save(ctx, "", []byte("data"), backend.None)
		case "load":
			var b backend.Blob
			b, err = s.Load(ctx, "", backend.None)
			text = string(b.Data)
		case "forget":
			_, err = envelope.ForgetKernelKeys(name)
		case "describe":
			var texts []string
			texts, err = envelope.DescribeKernelKeys(name)
			text = strings.Join(texts, " ")
		}
		fmt.Printf("%s: %s %v %v\n", do, text, backend.KindOf(err), err)
	}
	return s.Close()
}

// hinder makes the process one that a container or a service manager hinders.
func hinder(how string) error {
	switch how {
	case "own session": // as systemd's KeyringMode=private: it doesn't lead to the user keyring
		_, err := unix.KeyctlInt(unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0) // without a name
		return err
	case "EPERM":
		return forbid(unix.EPERM, unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY)
	case "ENOSYS":
		return forbid(unix.ENOSYS, unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY)
	case "EPERM for add_key":
		return forbid(unix.EPERM, unix.SYS_ADD_KEY)
	}
	return nil
}

// forbid answers system calls with an error, for all threads, as the seccomp
// profile of a container does. The calls compared have the same numbers on all
// that the test runs on, as the program has one architecture.
func forbid(errno syscall.Errno, calls ...uint32) error {
	filter := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}} // the number of the call
	for i, nr := range calls {
		filter = append(filter, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: uint8(len(calls) - i), K: nr})
	}
	filter = append(filter,
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(errno)})
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, err := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	if err != 0 {
		return err
	}
	return nil
}

// inKernel is a name and a place of a user's own; the user's keys go with the
// test.
type inKernel struct {
	t        *testing.T
	as       func(*exec.Cmd) *exec.Cmd
	name, at string
}

func asRoot(cmd *exec.Cmd) *exec.Cmd { return cmd }

func newInKernel(t *testing.T, as func(*exec.Cmd) *exec.Cmd) *inKernel {
	t.Helper()
	dir := filepath.Join(testproc.SharedDir(t), "home")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if cmd := as(exec.Command("true")); cmd.SysProcAttr != nil && cmd.SysProcAttr.Credential != nil {
		if err := os.Chown(dir, testproc.Nobody, testproc.Nobody); err != nil {
			t.Fatal(err)
		}
	}
	k := &inKernel{t, as, "test " + dir, filepath.Join(dir, "cache")}
	t.Cleanup(func() {
		cmd := as(testproc.Command(background{t}, "kernel", k.name, k.at, "", "forget"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	return k
}

// background is a test whose context hasn't ended when it cleans up.
type background struct{ testing.TB }

func (background) Context() context.Context { return context.Background() }

func (k *inKernel) run(hindrance string, do ...string) string {
	k.t.Helper()
	return testproc.Run(k.t, k.as(testproc.Command(k.t, "kernel", append([]string{k.name, k.at, hindrance}, do...)...)))
}

// says expects the beginning of each line.
func says(t *testing.T, out string, lines ...string) {
	t.Helper()
	got := strings.Split(strings.TrimSpace(out), "\n")
	for i, line := range lines {
		if i >= len(got) || !strings.HasPrefix(got[i], line) {
			t.Errorf("line %d isn't %q in:\n%s", i, line, out)
			return
		}
	}
}

func users() map[string]func(*exec.Cmd) *exec.Cmd {
	all := map[string]func(*exec.Cmd) *exec.Cmd{"the test's user": asRoot}
	if os.Geteuid() == 0 {
		all["nobody"] = testproc.AsNobody
	}
	return all
}

// The key outlives the process, and the session.
func TestKernelKeyring(t *testing.T) {
	t.Parallel()
	for name, as := range users() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newInKernel(t, as)
			says(t, k.run("", "ready", "load", "save", "load"), "ready:  <nil>", "load:  nothing is stored", "save:  <nil>", "load: data <nil>")
			says(t, k.run("", "load"), "load: data <nil>")
			says(t, k.run("own session", "load"), "load: data <nil>")
			says(t, k.run("", "forget", "ready", "load"), "forget:  <nil>", "ready:  <nil>", "load:  what is stored can't be decrypted")
		})
	}
}

// Where the user keyring went, the persistent one has the key, and brings it
// back.
func TestPersistentKeyring(t *testing.T) {
	t.Parallel()
	k := newInKernel(t, asRoot)
	says(t, k.run("", "save"), "save:  <nil>")
	for range 2 {
		others, err := envelope.ForgetUserKeyring(k.name)
		if err != nil {
			t.Fatal(err)
		}
		if !others {
			t.Log("this kernel has no persistent keyrings; the user keyring is all there is")
			says(t, k.run("", "load"), "load:  what is stored can't be decrypted")
			return
		}
		says(t, k.run("", "load"), "load: data <nil>")
	}
}

// The first key may also be made where the session doesn't lead to it.
func TestKernelKeyringOfAService(t *testing.T) {
	t.Parallel()
	for name, as := range users() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newInKernel(t, as)
			says(t, k.run("own session", "save"), "save:  <nil>")
			says(t, k.run("", "load"), "load: data <nil>")
		})
	}
}

func TestKernelKeysAreTheirPossessors(t *testing.T) {
	t.Parallel()
	for name, as := range users() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newInKernel(t, as)
			says(t, k.run("", "save"), "save:  <nil>")
			out := k.run("", "describe")
			parts := strings.Split(strings.TrimPrefix(out, "describe: "), ";")
			if len(parts) != 5 || parts[0] != "user" || parts[3] != "3f000000" {
				t.Errorf("the kernel says %s", out)
			}
			if strings.Contains(out, k.name) {
				t.Errorf("the name shows: %s", out)
			}
		})
	}
}

// Another user doesn't get at the key, even with the same name and the same
// bytes.
func TestKernelKeyOfAnotherUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Log("it takes root to have two users")
		return
	}
	mine, theirs := newInKernel(t, asRoot), newInKernel(t, testproc.AsNobody)
	theirs.name = mine.name
	says(t, mine.run("", "save"), "save:  <nil>")
	data, err := os.ReadFile(mine.at)
	if err == nil {
		err = errors.Join(os.WriteFile(theirs.at, data, 0o600), os.Chown(theirs.at, testproc.Nobody, testproc.Nobody))
	}
	if err != nil {
		t.Fatal(err)
	}
	says(t, theirs.run("", "load", "save"), "load:  what is stored can't be decrypted", "save:  what is stored can't be decrypted")
	says(t, mine.run("", "load"), "load: data <nil>")
}

func TestKernelKeyringThatIsForbidden(t *testing.T) {
	t.Parallel()
	for name, as := range users() {
		for _, how := range []string{"EPERM", "ENOSYS", "EPERM for add_key"} {
			t.Run(name+"/"+how, func(t *testing.T) {
				t.Parallel()
				k := newInKernel(t, as)
				out := k.run(how, "ready", "save", "load")
				says(t, out, "ready:  the store can't be reached", "save:  the store can't be reached", "load:  nothing is stored")
				if !strings.Contains(out, "seccomp") {
					t.Errorf("no advice in %s", out)
				}
				says(t, k.run("", "save"), "save:  <nil>") // without the filter it works
				if how != "EPERM for add_key" {
					says(t, k.run(how, "load"), "load:  the store can't be reached")
				}
			})
		}
	}
}

// The keys of a container would be gone before the next reboot.
func TestKernelKeyringOfAUserNamespace(t *testing.T) {
	t.Parallel()
	k := newInKernel(t, asRoot)
	cmd := testproc.Command(t, "kernel", k.name, k.at, "", "ready", "save")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}},
	}
	out := testproc.Run(t, cmd)
	says(t, out, "ready:  the store can't be reached", "save:  the store can't be reached")
	if !strings.Contains(out, "user namespace") {
		t.Errorf("got %s", out)
	}
	says(t, k.run("", "save"), "save:  <nil>")
}

func TestProcessesThatMakeTheKernelKeyAtOnce(t *testing.T) {
	t.Parallel()
	k := newInKernel(t, asRoot)
	const n = 6
	done := make(chan error, n)
	for i := range n {
		cmd := testproc.Command(t, "kernel", k.name, fmt.Sprint(k.at, i), "", "save")
		go func() {
			out, err := cmd.CombinedOutput()
			if err == nil && string(out) != "save:  <nil> <nil>\n" {
				err = errors.New(string(out))
			}
			done <- err
		}()
	}
	for range n {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	for i := range n {
		holds(t, onFile(t, fmt.Sprint(k.at, i), envelope.KernelKeyring(k.name)), "", "data")
	}
}

const (
	machine1, machine2 = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
	boot1, boot2       = "11111111-2222-3333-4444-555555555555\n", "99999999-8888-7777-6666-555555555555\n"
)

func TestRebootAndOtherMachines(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		machine, boot string // afterwards
		first         string // the machine before
		kind          error
	}{
		{"reboot", machine1, boot2, machine1, backend.ErrNotFound},
		{"same boot", machine1, boot1, machine1, backend.ErrDecrypt},
		{"another machine that shares the home", machine2, boot2, machine1, backend.ErrDecrypt},
		{"machines that can't be told apart", "", boot2, "", backend.ErrDecrypt},
		{"a machine that got an ID", machine1, boot2, "uninitialized", backend.ErrDecrypt},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, k := &place{}, newInKernel(t, asRoot)
			save(t, p.wrap(t, envelope.KernelKeyringAt(k.name, c.first, boot1), nil), "", "data", backend.None)
			holds(t, p.wrap(t, envelope.KernelKeyringAt(k.name, c.machine, c.boot), nil), "", "data") // as long as the key is there
			if n, err := envelope.ForgetKernelKeys(k.name); err != nil || n == 0 {
				t.Fatal(n, err)
			}
			s := p.wrap(t, envelope.KernelKeyringAt(k.name, c.machine, c.boot), nil)
			if _, err := s.Load(t.Context(), "", backend.None); backend.KindOf(err) != c.kind {
				t.Errorf("load: %v", err)
			}
			_, err := s.Save(t.Context(), "", []byte("new"), backend.None)
			if c.kind == backend.ErrNotFound {
				if err != nil {
					t.Error(err)
				}
				holds(t, s, "", "new")
				return
			}
			fails(t, "save", err, c.kind)
		})
	}
}
