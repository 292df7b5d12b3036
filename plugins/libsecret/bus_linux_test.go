//go:build secretservice

package libsecret

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/testproc"
)

// openAt opens a store whose session bus has an address.
func openAt(ctx context.Context, t testing.TB, address string) (backend.Store, error) {
	b := libsecretBackend{newShared(func() string { return address }), usual}
	return b.Open(ctx, config(t, nil))
}

func TestAddressesWithoutABus(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	marker := filepath.Join(dir, "started")
	starter := filepath.Join(dir, "start")
	if err := os.WriteFile(starter, []byte("#!/bin/sh\ntouch "+marker+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	network, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer network.Close()
	_, port, _ := net.SplitHostPort(network.Addr().String())
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, address := range map[string]string{
		"none":           "",
		"no transport":   "path=" + dir,
		"nothing there":  "unix:path=" + dir + "/bus",
		"a file":         "unix:path=" + file,
		"no path":        "unix:",
		"too long":       "unix:path=/" + strings.Repeat("x", 200),
		"NUL":            "unix:path=/tmp/%00x",
		"nobody listens": "unix:abstract=msalext-nobody-" + port,
		"a program":      "unixexec:path=" + starter,
		"autolaunch":     "autolaunch:",
		"a network":      "tcp:host=127.0.0.1,port=" + port,
		"several":        "unixexec:path=" + starter + ";autolaunch:;tcp:host=127.0.0.1,port=" + port + ";nonce-tcp:host=127.0.0.1,port=" + port,
	} {
		s, err := openAt(t.Context(), t, address)
		wants(t, name, err, backend.ErrUnavailable)
		if s != nil {
			t.Errorf("%s: opened", name)
		}
	}
	if _, err := os.Stat(marker); err == nil {
		t.Error("a program was started")
	}
	if l, ok := network.(*net.TCPListener); ok {
		_ = l.SetDeadline(time.Now())
	}
	if conn, err := network.Accept(); err == nil {
		conn.Close()
		t.Error("a network was used")
	}
}

func TestTheFirstAddressThatAnswersCounts(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	d.play(t)
	s, err := openAt(t.Context(), t, "unixexec:path=/bin/false;unix:path="+d.dir+"/none;"+d.address+",guid=00")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// busThat listens as a bus, and serves each connection so.
func busThat(t *testing.T, serves func(net.Conn)) string {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "bus")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serves(conn)
		}
	}()
	return "unix:path=" + socket
}

func TestABusThatMisbehaves(t *testing.T) {
	t.Parallel()
	answers := func(text string) func(net.Conn) {
		return func(c net.Conn) {
			_, _ = io.WriteString(c, text)
			_, _ = io.Copy(io.Discard, c)
			_ = c.Close()
		}
	}
	for name, c := range map[string]struct {
		serves func(net.Conn)
		kind   error
	}{
		"it is silent":             {func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, backend.ErrTimeout},
		"it is silent after AUTH":  {answers("REJECTED EXTERNAL\r\n"), backend.ErrTimeout},
		"it is silent after BEGIN": {answers("REJECTED EXTERNAL\r\nOK 00\r\n"), backend.ErrTimeout},
		"it hangs up":              {func(c net.Conn) { _ = c.Close() }, backend.ErrDenied},
		"it refuses the user":      {answers("REJECTED EXTERNAL\r\nREJECTED EXTERNAL\r\n"), backend.ErrDenied},
		"it knows no way in":       {answers("REJECTED\r\n"), backend.ErrDenied},
		"it talks nonsense":        {answers("HTTP/1.1 400 Bad Request\r\n\r\n"), backend.ErrDenied},
		"it sends binary nonsense": {answers("REJECTED EXTERNAL\r\nOK 00\r\n" + strings.Repeat("\xff", 1000)), backend.ErrTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := busThat(t, c.serves)
			begin := time.Now()
			_, err := openAt(t.Context(), t, address)
			wants(t, "open", err, c.kind)
			if took := time.Since(begin); took > 10*patience {
				t.Errorf("it took %v", took)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if _, err := openAt(ctx, t, address); c.kind == backend.ErrTimeout && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("within the caller's time: %v", err)
			}
		})
	}
}

// A stopped bus accepts nobody; once its queue is full, connecting fails at
// once. It is there nevertheless.
func TestABusWithAFullQueue(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "bus")
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if err := errors.Join(syscall.Bind(fd, &syscall.SockaddrUnix{Name: socket}), syscall.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	for {
		conn, err := net.Dial("unix", socket)
		if errors.Is(err, syscall.EAGAIN) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	err = inTime(t, func() error {
		_, err := openAt(t.Context(), t, "unix:path="+socket)
		return err
	})
	wants(t, "open", err, backend.ErrTimeout)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := openAt(ctx, t, "unix:path="+socket); !errors.Is(err, context.Canceled) || errors.Is(err, backend.ErrUnavailable) {
		t.Errorf("cancelled: %v", err)
	}
}

// tooMuchFor is more than the connection's buffers take.
func tooMuchFor(t *testing.T, b *bus) []byte {
	t.Helper()
	const buffer = 4 << 10
	if err := b.socket.Conn.(*net.UnixConn).SetWriteBuffer(buffer); err != nil {
		t.Fatal(err)
	}
	return make([]byte, 16*buffer)
}

func TestABusThatIsStopped(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	f := d.play(t)
	f.add(map[string]string{schemaAttribute: "s"}, "stored")
	d.leavesNothing(t, func(ctx context.Context) {
		s := d.open(t, backend.Settings{"schema": "s"})
		b, service := d.shared.current()
		if err := testproc.Stop(d.daemon.cmd.Process.Pid); err != nil {
			t.Fatal(err)
		}
		wants(t, "load", inTime(t, func() error { return calls["load"](ctx, s) }), backend.ErrTimeout)
		wants(t, "open", inTime(t, func() error {
			_, err := openAt(ctx, t, d.address)
			return err
		}), backend.ErrTimeout)

		within, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		begin := time.Now()
		err := b.request(within, service.owner, servicePath, serviceInterface+"ReadAlias", tooMuchFor(t, b)).Err
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a large message: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took > 10*patience {
			t.Errorf("it took %v", took)
		}
		if err := d.daemon.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
	})
}

// With a large message half out, the connection is given up, and the next call
// makes a new one.
func TestABusThatIsStoppedForAWhile(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	f := d.play(t)
	f.add(map[string]string{schemaAttribute: "s"}, "stored")
	s := d.open(t, backend.Settings{"schema": "s"})
	b, service := d.shared.current()
	if err := testproc.Stop(d.daemon.cmd.Process.Pid); err != nil {
		t.Fatal(err)
	}
	err := inTime(t, func() error {
		return b.request(context.Background(), service.owner, servicePath, serviceInterface+"ReadAlias", tooMuchFor(t, b)).Err
	})
	if err == nil {
		t.Fatal("a stopped bus took it")
	}
	if err := d.daemon.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it loads", func() bool { return calls["load"](t.Context(), s) == nil })
}

// A sandbox or a session of another user: the bus is there, and isn't ours.
func TestABusOfAnotherUser(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	d.play(t)
	if err := os.Chmod(d.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	testproc.Run(t, testproc.AsNobody(testproc.Command(t, "refused", d.address)))
	if err := os.Chmod(d.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	testproc.Run(t, testproc.AsNobody(testproc.Command(t, "refused", d.address)))
	d.open(t, nil) // it takes its own user
}

func refusedChild(address string) error {
	b := libsecretBackend{newShared(func() string { return address }), usual}
	_, err := b.Open(context.Background(), backend.Config{Location: "x", Path: "/x"})
	if e := (*backend.Error)(nil); !errors.Is(err, backend.ErrDenied) || !errors.As(err, &e) || e.Hint == "" {
		return errors.Join(errors.New("want ErrDenied with a hint"), err)
	}
	return nil
}

// activatable lets the bus start a program under the service's name. It
// returns a file that is there once that has happened.
func (d *desktop) activatable(t *testing.T) string {
	t.Helper()
	started := filepath.Join(d.dir, "started")
	service := "[D-BUS Service]\nName=" + busName + "\nExec=/usr/bin/touch " + started + "\n"
	if err := os.WriteFile(filepath.Join(d.dir, "services", busName+".service"), []byte(service), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.connect(t).BusObject().Call(busInterface+".ReloadConfig", 0).Err; err != nil {
		t.Fatal(err)
	}
	return started
}

func TestNothingIsStartedUnlessAllowed(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	hint := func(what string, err error, says string) {
		t.Helper()
		wants(t, what, err, backend.ErrUnavailable)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v doesn't say %q", what, err, says)
		}
	}
	open := func(activate string) (backend.Store, error) {
		return d.backend().Open(t.Context(), config(t, backend.Settings{"schema": "s", "activate": activate}))
	}
	_, err := open("false")
	hint("no service", err, "install a keyring service")
	_, err = open("true")
	hint("no service to activate", err, "install a keyring service")
	started := d.activatable(t)
	_, err = open("false")
	hint("a service that doesn't run", err, "set activate to true")

	f := d.play(t)
	s, err := open("false")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f.leave(t, d)
	for name, call := range calls {
		hint(name+", after the service's end", call(t.Context(), s.(*store)), "set activate to true")
	}
	// The bus answers this after it has begun all that was asked before.
	if err := d.connect(t).BusObject().Call(busInterface+".GetId", 0).Err; err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(started); err == nil {
		t.Error("the service was started")
	}
	_, err = open("true")
	wants(t, "a service that ends without a word", err, backend.ErrTimeout)
	eventually(t, "the service is started where that is allowed", func() bool {
		_, err := os.Stat(started)
		return err == nil
	})
}

func TestActivation(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	d.activatable(t)
	real := "[D-BUS Service]\nName=" + busName + "\nExec=/usr/bin/gnome-keyring-daemon --start --foreground --components=secrets\n"
	if err := os.WriteFile(filepath.Join(d.dir, "services", busName+".service"), []byte(real), 0o600); err != nil {
		t.Fatal(err)
	}
	conn := d.connect(t)
	if err := conn.BusObject().Call(busInterface+".ReloadConfig", 0).Err; err != nil {
		t.Fatal(err)
	}
	d.openPatiently(t, backend.Settings{"activate": "true"})
	var pid uint32
	if err := conn.BusObject().Call(busInterface+".GetConnectionUnixProcessID", 0, busName).Store(&pid); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(int(pid), syscall.SIGKILL) })
	d.openPatiently(t, nil) // it runs now
}
