package pluginhost

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/plugin"
)

func init() {
	for name, f := range map[string]func(){
		"rubbish":   func() { fmt.Println("hello, world SECRET"); wait() },
		"endless":   func() { _, _ = io.Copy(os.Stdout, rand.Reader) },
		"exits":     func() { fmt.Fprintln(os.Stderr, "SECRET why"); os.Exit(7) },
		"core":      func() { announce("2|1|tcp|127.0.0.1:1|grpc|") },
		"version":   func() { announce("1|99|tcp|127.0.0.1:1|grpc|") },
		"netrpc":    func() { announce("1|1|tcp|127.0.0.1:1|netrpc|") },
		"elsewhere": func() { announce("1|1|tcp|0.0.0.0:1|grpc|") },
		"pipe":      func() { announce(`1|1|unix|\\.\pipe\x|grpc|`) },
		"plain":     func() { announceListener(""); wait() },
		"badcert":   func() { announceListener("SECRET"); wait() },
		"badlog":    func() { fmt.Fprintln(os.Stderr, `{"@message":1}`+"\n"+`{"@timestamp":[]}`) },
		"longlog":   func() { fmt.Fprintln(os.Stderr, strings.Repeat("x", 1<<20)) },
		"wrongname": func() { plugin.Main(&files{name: "somebody-else"}) },
	} {
		hostile[name] = f
	}
}

func announce(line string) { fmt.Println(line); wait() }

// announceListener tells of a port where nobody speaks TLS.
func announceListener(cert string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Printf("1|1|tcp|%s|grpc|%s\n", l.Addr(), cert)
}

func TestHostilePlugins(t *testing.T) {
	for name, want := range map[string]struct {
		kind   error
		reason string
	}{
		"rubbish":   {backend.ErrPluginRefused, errRubbish.Error()},
		"endless":   {backend.ErrPluginRefused, errRubbish.Error()},
		"exits":     {backend.ErrPluginRefused, "exit status 7"},
		"core":      {backend.ErrPluginRefused, errCore.Error()},
		"version":   {backend.ErrPluginRefused, "version 99"},
		"netrpc":    {backend.ErrPluginRefused, errTransport.Error()},
		"elsewhere": {backend.ErrPluginRefused, errAddress.Error()},
		"pipe":      {backend.ErrPluginRefused, errAddress.Error()},
		"plain":     {backend.ErrPluginRefused, errCertificate.Error()},
		"badcert":   {backend.ErrPluginRefused, errCertificate.Error()},
		"silent":    {backend.ErrTimeout, ""},
		"wrongname": {backend.ErrPluginRefused, "somebody-else"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log syncBuffer
			h := newHost(t, &Options{StartTimeout: 5 * time.Second, Logger: logTo(&log, slog.LevelDebug)})
			_, err := h.Backend(t.Context(), name)
			if !errors.Is(err, want.kind) || !strings.Contains(err.Error(), want.reason) {
				t.Errorf("error: %v", err)
			}
			if e, ok := errors.AsType[*backend.Error](err); !ok || e.Hint == "" || strings.Contains(err.Error(), "SECRET") {
				t.Errorf("error: %v", err)
			}
		})
	}
}

func TestBadLogIsHarmless(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"badlog", "longlog"} {
		var log syncBuffer
		h := newHost(t, &Options{Logger: logTo(&log, slog.LevelDebug)})
		mustOpen(t, h, name)
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if n := len(log.String()); n > 3*maxLogLine {
			t.Errorf("%s: %d bytes of log", name, n)
		}
	}
}

// Who has no certificate that the host gave out gets nothing from the port,
// which every user of the machine can reach.
func TestPortRefusesStrangers(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	mustOpen(t, h, "store")
	address := h.service("store").cur.runner.hand.address
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(soon))
	_, _ = conn.Write([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"))
	// Nothing, or a TLS alert, and never a frame of HTTP/2.
	if answer, _ := io.ReadAll(conn); len(answer) > 0 && answer[0] != 21 {
		t.Errorf("it answered %q", answer)
	}
}
