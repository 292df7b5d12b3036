//go:build secretservice

package libsecret

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/backendtest"
)

// busConfig is a session bus for one test. Nothing that the machine has
// installed can be activated on it.
const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=%[1]s/bus</listen>
  <auth>EXTERNAL</auth>
  <servicedir>%[1]s/services</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`

// desktop is a session bus, and a home directory for what runs on it.
type desktop struct {
	dir     string
	address string
	daemon  *program
	shared  *shared // what stores of this process have in common
}

// backend is the backend whose session bus is the desktop's.
func (d *desktop) backend() libsecretBackend {
	b := libsecretBackend{d.shared, usual}
	b.limits.bytes = largest
	return b
}

// open opens a store of the desktop that the test closes.
func (d *desktop) open(t testing.TB, settings backend.Settings) *store {
	t.Helper()
	s, err := d.backend().Open(t.Context(), config(t, settings))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s.(*store)
}

// openPatiently is open for tests of what a service answers, and not when.
func (d *desktop) openPatiently(t testing.TB, settings backend.Settings) *store {
	t.Helper()
	s, err := patient(d.shared).Open(t.Context(), config(t, settings))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s.(*store)
}

func config(t backendtest.T, settings backend.Settings) backend.Config {
	path := filepath.Join(t.TempDir(), "cache")
	return backend.Config{Location: path, Path: path, Settings: settings}
}

// newDesktop starts a bus.
func newDesktop(t testing.TB) *desktop {
	t.Helper()
	dir, err := os.MkdirTemp(memory(), "ss-") // t.TempDir's names are too long for sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	d := &desktop{dir: dir, address: "unix:path=" + filepath.Join(dir, "bus")}
	for _, sub := range []string{"services", "home", "run"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	config := filepath.Join(dir, "bus.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, busConfig, dir), 0o600); err != nil {
		t.Fatal(err)
	}
	d.shared = newShared(func() string { return d.address })
	d.startBus(t)
	return d
}

func (d *desktop) startBus(t testing.TB) {
	t.Helper()
	_ = os.Remove(filepath.Join(d.dir, "bus"))
	d.daemon = d.start(t, "", "dbus-daemon", "--nofork", "--nopidfile", "--print-address", "--config-file="+filepath.Join(d.dir, "bus.conf"))
	d.daemon.says(t, "unix:path=")
}

// program is a process that a test started. It ends with the test.
type program struct {
	cmd     *exec.Cmd
	output  *output
	ended   chan struct{}
	stopped bool // by the test
}

// start runs a program with a home of its own on the desktop's bus.
func (d *desktop) start(t testing.TB, input, name string, args ...string) *program {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = d.environment()
	cmd.Stdin = strings.NewReader(input)
	p := &program{cmd: cmd, output: &output{changed: make(chan struct{}, 1)}, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.output, p.output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(p.end)
	return p
}

func (d *desktop) environment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8",
		"DBUS_SESSION_BUS_ADDRESS=" + d.address,
		"HOME=" + filepath.Join(d.dir, "home"), "XDG_RUNTIME_DIR=" + filepath.Join(d.dir, "run"),
		"XDG_DATA_HOME=" + filepath.Join(d.dir, "home", "data"),
	}
}

// run runs a program of a peer to its end, and returns what it printed.
func (d *desktop) run(t testing.TB, input, name string, args ...string) string {
	t.Helper()
	out, err := d.try(t, time.Minute, input, name, args...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return out
}

// try is run for a program that may fail, or may not end in time. The error has
// what it printed as errors.
func (d *desktop) try(t testing.TB, within time.Duration, input, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = d.environment()
	cmd.Stdin = strings.NewReader(input)
	var failure bytes.Buffer
	cmd.Stderr = &failure
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%w (%w)\n%s", err, ctx.Err(), &failure)
	}
	return string(out), err
}

// end kills the program and waits for it.
func (p *program) end() {
	p.stopped = true
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// running fails the test when the program has ended.
func (p *program) running(t testing.TB) {
	t.Helper()
	select {
	case <-p.ended:
		t.Fatalf("%s: %v\n%s", p.cmd.Path, p.cmd.ProcessState, p.output)
	default:
	}
}

// says waits until the program has printed a line that contains text.
func (p *program) says(t testing.TB, text string) string {
	t.Helper()
	timeout := time.After(30 * time.Second)
	for {
		if line, ok := p.output.line(text); ok {
			return line
		}
		select {
		case <-p.output.changed:
		case <-p.ended:
			t.Fatalf("%s: %v\n%s", p.cmd.Path, p.cmd.ProcessState, p.output)
		case <-timeout:
			t.Fatalf("%s doesn't say %q, but\n%s", p.cmd.Path, text, p.output)
		}
	}
}

type output struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.changed <- struct{}{}:
	default:
	}
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func (o *output) line(with string) (string, bool) {
	lines := bufio.NewScanner(strings.NewReader(o.String()))
	for lines.Scan() {
		if strings.Contains(lines.Text(), with) {
			return lines.Text(), true
		}
	}
	return "", false
}

// keyring starts GNOME Keyring, with an open default keyring.
func (d *desktop) keyring(t testing.TB) *program {
	t.Helper()
	p := d.start(t, "the password", "gnome-keyring-daemon", "--unlock", "--components=secrets", "--foreground")
	d.ready(t, p, false)
	return p
}

// ready waits for a service that is being started, and for its keyring to be
// locked or not. The test fails if it ends by itself before the test does.
func (d *desktop) ready(t testing.TB, p *program, locked bool) {
	t.Helper()
	t.Cleanup(func() {
		select {
		case <-p.ended:
			if !p.stopped {
				t.Errorf("%q ended: %v\n%s", p.cmd.Args, p.cmd.ProcessState, p.output)
			}
		default:
		}
	})
	conn := d.connect(t)
	eventually(t, "the keyring is ready", func() bool {
		p.running(t)
		var collection dbus.ObjectPath
		err := conn.Object(busName, servicePath).CallWithContext(t.Context(), serviceInterface+"ReadAlias", dbus.FlagNoAutoStart, "default").Store(&collection)
		if err != nil || collection == none {
			return false
		}
		is, err := conn.Object(busName, collection).GetProperty(collectionInterface + "Locked")
		return err == nil && is.Value() == locked
	})
}

// connect returns a connection of the test's own to the bus.
func (d *desktop) connect(t testing.TB, options ...dbus.ConnOption) *dbus.Conn {
	t.Helper()
	conn, err := dbus.Connect(d.address, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// eventually waits for what should take far less than the time it allows.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it never happened: %s", what)
		}
	}
}

// memory is a directory in memory: GNOME Keyring syncs the whole keyring to
// disk with each change.
func memory() string {
	const shared = "/dev/shm"
	if fi, err := os.Stat(shared); err != nil || !fi.IsDir() {
		return ""
	}
	return shared
}
