package plugintest

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/msalext/msalext/extensions/pluginhost"
	"github.com/msalext/msalext/internal/wire"
	pb "github.com/msalext/msalext/internal/wire/persistencepb"
)

const (
	// exits is how long a plugin may take to end, and patience how long it is
	// waited for: the machine may be busy.
	exits    = 2 * time.Second
	patience = 3 * exits
	// startsWithin is as for a host.
	startsWithin = 20 * time.Second
)

// A direct is a plugin without a host: a case speaks to it as a host of another
// version, or of another kind, would.
type direct struct {
	x      *examination
	cmd    *exec.Cmd
	stdin  io.Closer
	line   string // the handshake; empty: it ended without
	exited chan struct{}
	conn   *grpc.ClientConn
	rpc    pb.PersistenceClient
}

// launch starts the plugin with the variables that a host sets, changed by
// edit, and reads its first line.
func (x *examination) launch(edit func(env map[string]string)) *direct {
	if runtime.GOOS == "windows" {
		x.pass("a plugin without its host is tried where there are Unix sockets, and not on Windows")
	}
	d := &direct{x: x, cmd: exec.Command(x.options.Binary), exited: make(chan struct{})}
	d.cmd.Env = x.environment(edit)
	isolate(d.cmd)
	stdin, err := d.cmd.StdinPipe()
	var stdout io.Reader
	var started func()
	if err == nil {
		stdout, started, err = d.pipe()
	}
	if err == nil {
		d.stdin = stdin
		err = d.cmd.Start()
		started()
	}
	if err != nil {
		x.Fatalf("start the plugin: %v", err)
	}
	x.atEnd(d.stop)
	d.read(stdout)
	return d
}

// pipe is standard output, and what lets go of the process's end of it. exec.Cmd's
// own is closed when the process ends, and what it printed last may be lost.
func (d *direct) pipe() (io.Reader, func(), error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	d.cmd.Stdout = w
	d.x.atEnd(func() { _ = r.Close() })
	return r, func() { _ = w.Close() }, nil
}

// environment is what a host gives.
func (x *examination) environment(edit func(map[string]string)) []string {
	env := map[string]string{"PATH": os.Getenv("PATH")}
	for _, name := range pluginhost.Environment() {
		if value, ok := os.LookupEnv(name); ok {
			env[name] = value
		}
	}
	env[wire.CookieKey], env[wire.BackendEnv], env[wire.LogEnv] = wire.CookieValue, x.options.Name, "off"
	env["PLUGIN_PROTOCOL_VERSIONS"], env["PLUGIN_UNIX_SOCKET_DIR"] = "1", x.TempDir()
	env["PLUGIN_MIN_PORT"], env["PLUGIN_MAX_PORT"] = "0", "1"
	edit(env)
	var all []string
	for name, value := range env {
		all = append(all, name+"="+value)
	}
	slices.Sort(all)
	return all
}

// read waits for the first line or the process's end.
func (d *direct) read(stdout io.Reader) {
	line := make(chan string, 1)
	go func() {
		r := bufio.NewReader(stdout)
		text, _ := r.ReadString('\n')
		line <- strings.TrimSpace(text)
		_, _ = io.Copy(io.Discard, r)
	}()
	go func() {
		_ = d.cmd.Wait()
		close(d.exited)
	}()
	select {
	case d.line = <-line:
	case <-d.exited: // the line may just have come
		select {
		case d.line = <-line:
		case <-time.After(200 * time.Millisecond):
		}
	case <-time.After(startsWithin):
		d.x.Fatalf("it prints no handshake within %s", startsWithin)
	}
}

// plain leaves a host's environment as it is.
func plain(map[string]string) {}

// connect makes the connection that the handshake names.
func (d *direct) connect() {
	fields := strings.Split(d.line, "|")
	if len(fields) < 5 || fields[2] != "unix" {
		d.x.Fatalf("its first line isn't a handshake with a Unix socket")
	}
	conn, err := grpc.NewClient("unix:"+fields[3],
		append(wire.DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithIdleTimeout(0))...)
	if err != nil {
		d.x.Fatalf("connect: %v", err)
	}
	d.conn, d.rpc = conn, pb.NewPersistenceClient(conn)
	if _, err := d.rpc.Describe(d.x.ctx, &pb.DescribeRequest{}); err != nil {
		d.x.Fatalf("describe: %v", err)
	}
}

// open opens a store at a new place.
func (d *direct) open() uint64 {
	resp, err := d.rpc.Open(d.x.ctx, d.openRequest())
	if err != nil {
		d.x.Fatalf("open: %v", err)
	}
	d.x.atEnd(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(d.x.ctx), exits)
		defer cancel()
		_, _ = d.rpc.Close(ctx, &pb.CloseRequest{Store: resp.GetStore()})
	})
	return resp.GetStore()
}

func (d *direct) openRequest() *pb.OpenRequest {
	path := []byte(d.x.place())
	req := &pb.OpenRequest{Location: path, Path: path, Settings: map[string]string{}, Secrets: map[string][]byte{}}
	described, err := d.rpc.Describe(d.x.ctx, &pb.DescribeRequest{})
	if err != nil {
		d.x.Fatalf("describe: %v", err)
	}
	for name, value := range d.x.options.Settings {
		if secretSetting(described, name) {
			req.Secrets[name] = []byte(value)
		} else {
			req.Settings[name] = value
		}
	}
	return req
}

func secretSetting(d *pb.DescribeResponse, name string) bool {
	return slices.ContainsFunc(d.GetSettings(), func(s *pb.Setting) bool {
		prefix, open := strings.CutSuffix(s.GetName(), "*")
		return s.GetSecret() && (s.GetName() == name || open && strings.HasPrefix(name, prefix))
	})
}

// ends waits for the process's end, and tells whether it came.
func (d *direct) ends() bool {
	select {
	case <-d.exited:
		return true
	case <-time.After(patience):
		return false
	}
}

// stop ends what is left.
func (d *direct) stop() {
	if d.conn != nil {
		_ = d.conn.Close()
	}
	_ = d.stdin.Close()
	select {
	case <-d.exited:
	case <-time.After(exits):
		kill(d.cmd.Process)
		<-d.exited
	}
}
