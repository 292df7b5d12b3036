//go:build linux || darwin || freebsd

package peercred

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// callEnv makes this test binary a client that calls the socket it names.
const callEnv = "PEERCRED_TEST_CALL"

const patience = 20 * time.Second

func TestMain(m *testing.M) {
	if socket := os.Getenv(callEnv); socket != "" {
		if err := call(socket, insecure.NewCredentials()); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func call(socket string, creds credentials.TransportCredentials) error {
	conn, err := grpc.NewClient("unix:"+socket, grpc.WithTransportCredentials(creds))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err = grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	return err
}

// listen serves gRPC's health service on a socket that every user can reach.
func listen(t *testing.T, opts ...grpc.ServerOption) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pc")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]os.FileMode{dir: 0o755, socket: 0o777} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	server := grpc.NewServer(opts...)
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
	return socket
}

// child calls the socket from a process of its own.
func child(t *testing.T, socket string, uid int, started func(pid int)) error {
	t.Helper()
	exe := "/proc/self/exe" // another user can't reach the directory of the test binary
	if _, err := os.Stat(exe); err != nil {
		if exe, err = os.Executable(); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), callEnv+"="+socket, "GORACE=atexit_sleep_ms=0")
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if uid != os.Geteuid() {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if started != nil {
		started(cmd.Process.Pid)
	}
	if err := cmd.Wait(); err != nil {
		return errors.New(out.String())
	}
	return nil
}

func TestServerKnowsItsClient(t *testing.T) {
	t.Parallel()
	var want atomic.Int64
	known := make(chan struct{})
	refused := make(chan error, 10)
	check := Check{PID: func() int { <-known; return int(want.Load()) }, Refused: func(err error) { refused <- err }}
	socket := listen(t, grpc.Creds(check.Credentials()))
	err := child(t, socket, os.Geteuid(), func(pid int) { want.Store(int64(pid)); close(known) })
	if err != nil {
		t.Fatalf("the expected process: %v", err)
	}
	if err := child(t, socket, os.Geteuid(), nil); TellsPID && err == nil {
		t.Error("another process of the same user got in")
	}
	if TellsPID && !errors.Is(<-refused, ErrRefused) {
		t.Error("nobody was told")
	}
}

func TestAnyProcessOfTheUser(t *testing.T) {
	t.Parallel()
	for name, check := range map[string]Check{"nil": {}, "zero": {PID: func() int { return 0 }}} {
		if err := child(t, listen(t, grpc.Creds(check.Credentials())), os.Geteuid(), nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnotherUser(t *testing.T) {
	t.Parallel()
	if err := (Check{}).peer(Peer{UID: os.Geteuid() + 1, PID: os.Getpid()}); !errors.Is(err, ErrRefused) {
		t.Errorf("another user: %v", err)
	}
	if os.Geteuid() != 0 {
		return // only root can become somebody else for the rest
	}
	const nobody = 65534
	if err := child(t, listen(t), nobody, nil); err != nil {
		t.Fatalf("without a check another user must get in, or this proves nothing: %v", err)
	}
	refused := make(chan error, 10)
	check := Check{Refused: func(err error) { refused <- err }}
	if err := child(t, listen(t, grpc.Creds(check.Credentials())), nobody, nil); err == nil {
		t.Error("another user got in")
	}
	if err := <-refused; !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "65534") {
		t.Errorf("%v", err)
	}
}

func TestClientKnowsItsServer(t *testing.T) {
	t.Parallel()
	socket := listen(t)
	self := Check{PID: os.Getpid}
	if err := call(socket, self.Credentials()); err != nil {
		t.Errorf("the expected process: %v", err)
	}
	var refused error
	other := Check{PID: func() int { return os.Getpid() + 1 }, Refused: func(err error) { refused = err }}
	if err := call(socket, other.Credentials()); TellsPID && (err == nil || !errors.Is(refused, ErrRefused)) {
		t.Errorf("another process answered: %v, %v", err, refused)
	}
}

func TestOnlyUnixSockets(t *testing.T) {
	t.Parallel()
	a, b := net.Pipe()
	defer func() { _, _ = a.Close(), b.Close() }()
	if _, err := Of(a); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("%v", err)
	}
	if _, _, err := (Check{}).Credentials().ServerHandshake(a); err == nil {
		t.Error("a pipe got in")
	}
}

func TestClosedSocket(t *testing.T) {
	t.Parallel()
	conn, err := net.Dial("unix", listen(t))
	if err != nil {
		t.Fatal(err)
	}
	if p, err := Of(conn); err != nil || p.UID != os.Geteuid() || TellsPID && p.PID != os.Getpid() {
		t.Errorf("%+v, %v", p, err)
	}
	_ = conn.Close()
	if _, err := Of(conn); err == nil {
		t.Error("a closed socket has a peer")
	}
}
