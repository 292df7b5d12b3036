package extensions_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/testproc"
	"github.com/msalext/msalext/plugins/file"
)

func init() { children["keyring"] = keyringChild }

// fallingBack are options of a server without a key store.
func fallingBack(id string, why error) *extensions.Options {
	return &extensions.Options{
		Candidates: []string{"vault"}, FallbackToKernelKeyring: true, EnvelopeID: id,
		InProcess: []backend.Backend{&vault{err: why}, file.Backend()},
	}
}

// keyringChild does what a program on such a server does: save and load, and
// tell what it got; also where the kernel's keyring is forbidden, or plaintext
// allowed.
func keyringChild(args []string) error {
	id, where, how := args[0], args[1], args[2]
	o := fallingBack(id, backend.ErrUnavailable)
	o.FallbackToPlaintext = strings.Contains(how, "plaintext")
	if strings.Contains(how, "forbidden") {
		if err := forbidKeyrings(); err != nil {
			return err
		}
	}
	if how == "forget" {
		return forgetKeys(id)
	}
	ctx := context.Background()
	p, err := extensions.BuildPersistence(ctx, where, o)
	if err != nil {
		fmt.Printf("%v: %v\n", backend.KindOf(err), err)
		return nil
	}
	data, lerr := p.Load(ctx)
	fmt.Printf("%s %v %q %v\n%v\n", p.Backend(), p.IsEncrypted(), data, lerr, p.Protection())
	return errors.Join(p.Save(ctx, []byte(marker)), p.Close())
}

// forbidKeyrings does what the seccomp profile of containers does.
func forbidKeyrings() error {
	filter := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}} // the number of the call
	calls := []uint32{unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY}
	for i, nr := range calls {
		filter = append(filter, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: uint8(len(calls) - i), K: nr})
	}
	filter = append(filter,
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)})
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return errno
	}
	return nil
}

// forgetKeys takes away the user's keys of an id, as a reboot does.
func forgetKeys(id string) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	sum := sha256.Sum256([]byte(id))
	prefix := "msalext:" + hex.EncodeToString(sum[:8]) + ":"
	const mine = unix.KEY_SPEC_THREAD_KEYRING
	rings := []int{unix.KEY_SPEC_USER_KEYRING}
	if persistent, err := unix.KeyctlInt(unix.KEYCTL_GET_PERSISTENT, -1, mine, 0, 0); err == nil {
		rings = append(rings, persistent)
	}
	for _, ring := range rings {
		if _, err := unix.KeyctlInt(unix.KEYCTL_LINK, ring, mine, 0, 0); err != nil {
			return err
		}
		data := make([]byte, 4096)
		n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, ring, data, 0)
		if err != nil {
			return err
		}
		for i := 0; i+4 <= min(n, len(data)); i += 4 {
			serial := int(int32(uint32(data[i]) | uint32(data[i+1])<<8 | uint32(data[i+2])<<16 | uint32(data[i+3])<<24))
			if text, err := unix.KeyctlString(unix.KEYCTL_DESCRIBE, serial); err == nil && strings.Contains(text, ";"+prefix) {
				if _, err := unix.KeyctlInt(unix.KEYCTL_UNLINK, serial, ring, 0, 0); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// server is a place for a program that falls back, run by a user.
type server struct {
	t         *testing.T
	as        func(*exec.Cmd) *exec.Cmd
	id, where string
}

func newServer(t *testing.T, as func(*exec.Cmd) *exec.Cmd, owner int) *server {
	t.Helper()
	dir := filepath.Join(testproc.SharedDir(t), "home")
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Chown(dir, owner, owner)); err != nil {
		t.Fatal(err)
	}
	s := &server{t, as, dir, filepath.Join(dir, "cache")}
	t.Cleanup(func() {
		cmd := testproc.Command(lasting{t}, "keyring", s.id, s.where, "forget")
		if out, err := as(cmd).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	return s
}

// lasting is a test whose context hasn't ended when it cleans up.
type lasting struct{ testing.TB }

func (lasting) Context() context.Context { return context.Background() }

func (s *server) run(how string) string {
	s.t.Helper()
	return testproc.Run(s.t, s.as(testproc.Command(s.t, "keyring", s.id, s.where, how)))
}

func (s *server) stored() []byte {
	s.t.Helper()
	data, err := os.ReadFile(s.where)
	if err != nil {
		s.t.Fatal(err)
	}
	return data
}

func servers() map[string]func(t *testing.T) *server {
	return map[string]func(t *testing.T) *server{
		"root": func(t *testing.T) *server {
			return newServer(t, func(c *exec.Cmd) *exec.Cmd { return c }, os.Geteuid())
		},
		"nobody": func(t *testing.T) *server { return newServer(t, testproc.AsNobody, testproc.Nobody) },
	}
}

func TestFallbackToKernelKeyring(t *testing.T) {
	t.Parallel()
	for name, newServer := range servers() {
		for _, how := range []string{"", "plaintext"} { // which comes later
			t.Run(name+"/"+how, func(t *testing.T) {
				t.Parallel()
				s := newServer(t)
				out := s.run(how)
				if !strings.HasPrefix(out, `file+kernel-keyring true "" `) || !strings.Contains(out, "lost at reboot") || !strings.Contains(out, "AES-256-GCM") {
					t.Errorf("first: %s", out)
				}
				if out := s.run(how); !strings.HasPrefix(out, fmt.Sprintf("file+kernel-keyring true %q <nil>\n", marker)) {
					t.Errorf("second: %s", out)
				}
				if found := inFiles(t, filepath.Dir(s.where), marker); found != nil {
					t.Errorf("it shows in %v", found)
				}
			})
		}
	}
}

func TestForbiddenKernelKeyring(t *testing.T) {
	t.Parallel()
	for name, newServer := range servers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			out := s.run("forbidden")
			if !strings.HasPrefix(out, backend.ErrUnavailable.Error()) || !strings.Contains(out, "\n  file+kernel-keyring: ") || !strings.Contains(out, "seccomp") || !strings.Contains(out, "FallbackToPlaintext") {
				t.Errorf("without plaintext: %s", out)
			}
			if out := s.run("forbidden plaintext"); !strings.HasPrefix(out, `file false "" `) {
				t.Errorf("with plaintext: %s", out)
			}
			if out := s.run("plaintext"); !strings.HasPrefix(out, fmt.Sprintf("file false %q", marker)) {
				t.Errorf("what was chosen isn't kept: %s", out)
			}
			other := newServer(t)
			other.run("")
			if out := other.run("forbidden plaintext"); !strings.HasPrefix(out, backend.ErrUnavailable.Error()) || strings.Contains(out, "\n  file:") {
				t.Errorf("plaintext after encryption: %s", out)
			}
		})
	}
}

// A store that is there and in trouble doesn't lead to the keyring.
func TestKernelKeyringOnlyForAMissingStore(t *testing.T) {
	t.Parallel()
	for _, kind := range []error{backend.ErrLocked, backend.ErrDenied, backend.ErrTimeout, backend.ErrDecrypt, backend.ErrPluginRefused} {
		p, err := extensions.BuildPersistence(t.Context(), location(t), fallingBack("test", kind))
		closed(t, p)
		if se := (*extensions.SelectionError)(nil); !errors.As(err, &se) || len(se.Candidates) != 1 {
			t.Errorf("%v: %v", kind, err)
		}
	}
}

// The boot in the key's ID is changed, which is what the ciphertext of an earlier
// boot looks like.
func TestReboot(t *testing.T) {
	t.Parallel()
	for name, newServer := range servers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.run("")
			dead := bytes.Replace(s.stored(), []byte(bootID(t)), bytes.Repeat([]byte("0"), 32), 1)
			if err := os.WriteFile(s.where, dead, 0o600); err != nil {
				t.Fatal(err)
			}
			s.run("forget")
			out := s.run("")
			if bytes.Contains(dead, []byte("kernel:unknown:")) { // the machine has no ID
				if !strings.Contains(out, `file+kernel-keyring true "" msalext: load (file+kernel-keyring): `+backend.ErrDecrypt.Error()) {
					t.Errorf("got %s", out)
				}
				return
			}
			if !strings.Contains(out, `file+kernel-keyring true "" msalext: load (file+kernel-keyring): `+backend.ErrNotFound.Error()) || strings.Count(out, "level=WARN")+strings.Count(out, " WARN ") != 1 {
				t.Errorf("after the reboot: %s", out)
			}
			if out := s.run(""); !strings.HasPrefix(out, fmt.Sprintf("file+kernel-keyring true %q <nil>\n", marker)) {
				t.Errorf("after signing in again: %s", out)
			}
			if aside, err := os.ReadFile(backend.PathFor(s.where, ".lapsed")); err != nil || !bytes.Equal(aside, dead) {
				t.Errorf("the dead ciphertext isn't aside: %v", err)
			}
		})
	}
}

func bootID(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(strings.TrimSpace(string(data)), "-", "")
}

// Without a reboot a missing key is no normal thing: nothing is given up by
// itself.
func TestKernelKeyThatIsGone(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(c *exec.Cmd) *exec.Cmd { return c }, os.Geteuid())
	s.run("")
	s.run("forget")
	before := s.stored()
	p := buildWith(t, s.where, fallingBack(s.id, backend.ErrUnavailable))
	_, lerr := p.Load(t.Context())
	for _, err := range []error{lerr, p.Save(t.Context(), []byte("x")), p.Key("new").Save(t.Context(), []byte("x"))} {
		if !errors.Is(err, backend.ErrDecrypt) || !strings.Contains(err.Error(), "Quarantine") {
			t.Errorf("got %v", err)
		}
	}
	if !bytes.Equal(s.stored(), before) {
		t.Error("it was changed")
	}
	startAnew(t, p, s.where)
	if err := p.Save(t.Context(), []byte("anew")); err != nil {
		t.Error(err)
	}
}
