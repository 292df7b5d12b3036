//go:build secretservice

package libsecret

import (
	"bytes"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/canary"
)

// wire is all that crosses a bus, as a monitor of it gets it.
type wire struct {
	net.Conn
	mu    sync.Mutex
	bytes bytes.Buffer
}

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bytes.Write(p[:n])
	return n, err
}

// listen returns what crosses the desktop's bus from now on.
func (d *desktop) listen(t *testing.T) *wire {
	t.Helper()
	socket, err := net.Dial("unix", filepath.Join(d.dir, "bus"))
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{Conn: socket}
	conn, err := dbus.NewConn(w)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hangUp(conn) })
	if err := conn.Auth(nil); err != nil {
		t.Fatal(err)
	}
	if err := conn.Hello(); err != nil {
		t.Fatal(err)
	}
	if err := conn.BusObject().Call(busInterface+".Monitoring.BecomeMonitor", 0, []string{}, uint32(0)).Err; err != nil {
		t.Fatal(err)
	}
	conn.Eavesdrop(make(chan *dbus.Message)) // the connection answers nothing that it overhears
	return w
}

func (w *wire) seen() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return bytes.Clone(w.bytes.Bytes())
}

// count counts the calls of a member so far.
func (w *wire) count(member string) int {
	return bytes.Count(w.seen(), []byte("\x03\x01s\x00"+string([]byte{byte(len(member)), 0, 0, 0})+member+"\x00"))
}

func TestNothingCrossesTheBusInClear(t *testing.T) {
	t.Parallel()
	const marker = "canary-2c91e7"
	data := []byte(`{"RefreshToken":{"x":{"secret":"` + strings.Repeat(marker+"|", 20) + `"}}}`)
	for service, start := range services {
		for _, encoding := range []string{"raw", "base64"} {
			t.Run(service+" "+encoding, func(t *testing.T) {
				t.Parallel()
				d := newDesktop(t)
				start(d, t)
				wire := d.listen(t)
				s := d.openPatiently(t, backend.Settings{"encoding": encoding, "attribute.seen": "attribute-51d0"})
				v, err := s.Save(t.Context(), "", data, backend.None)
				if err == nil {
					_, err = s.Save(t.Context(), "", slices.Concat(data, []byte(" ")), v)
				}
				if err != nil {
					t.Fatal(err)
				}
				if _, err := s.Load(t.Context(), "", backend.None); err != nil {
					t.Fatal(err)
				}
				for _, member := range []string{"CreateItem", "SetSecret", "GetSecret", "OpenSession"} {
					eventually(t, member+" is overheard", func() bool { return wire.count(member) > 0 })
				}
				overheard := wire.seen()
				if found := canary.Find(overheard, marker); len(found) > 0 {
					t.Errorf("it crosses the bus as %v", found)
				}
				if len(canary.Find(overheard, "attribute-51d0")) == 0 || !bytes.Contains(overheard, []byte(algorithm)) {
					t.Error("the test proves nothing: what is in clear isn't overheard either")
				}
				if bytes.Contains(overheard, []byte("\x05\x00\x00\x00plain\x00")) {
					t.Error("a plain session was asked for")
				}
			})
		}
	}
}

// The check above sees what another program sends in clear.
func TestAPlainSessionIsOverheard(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	f := d.play(t)
	wire := d.listen(t)
	f.conn.Object(busName, servicePath).Go(serviceInterface+"OpenSession", 0, nil, "plain", dbus.MakeVariant("canary-2c91e7"))
	eventually(t, "it is overheard", func() bool {
		return len(canary.Find(wire.seen(), "canary-2c91e7")) > 0 && bytes.Contains(wire.seen(), []byte("\x05\x00\x00\x00plain\x00"))
	})
}
