//go:build redis

package redis

import (
	"bytes"
	"net"
	"sync"
	"testing"

	"github.com/msalext/msalext/internal/canary"
)

// proxy stands between a store and a server. It records what crosses, and
// breaks connections when told to.
type proxy struct {
	listener net.Listener
	target   string

	mu       sync.Mutex
	open     *sync.Cond
	conns    map[net.Conn]bool // true: what comes from there is dropped
	held     bool              // new connections have to wait
	dropped  bool              // something was
	recorded bytes.Buffer
}

func newProxy(t testing.TB, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, target: target, conns: map[net.Conn]bool{}}
	p.open = sync.NewCond(&p.mu)
	var work sync.WaitGroup
	work.Go(func() { p.serve(&work) })
	t.Cleanup(func() {
		_ = l.Close()
		p.release()
		p.cut()
		work.Wait()
	})
	return p
}

func (p *proxy) address() string { return p.listener.Addr().String() }

func (p *proxy) serve(work *sync.WaitGroup) {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		work.Go(func() { p.connect(near, work) })
	}
}

func (p *proxy) connect(near net.Conn, work *sync.WaitGroup) {
	p.mu.Lock()
	for p.held {
		p.open.Wait()
	}
	p.mu.Unlock()
	far, err := net.Dial("tcp", p.target)
	if err != nil {
		_ = near.Close()
		return
	}
	p.mu.Lock()
	p.conns[near], p.conns[far] = false, false
	p.mu.Unlock()
	work.Go(func() { p.pass(far, near) })
	p.pass(near, far)
}

// pass copies one direction until either side ends.
func (p *proxy) pass(to, from net.Conn) {
	defer func() { _ = to.Close(); _ = from.Close() }()
	piece := make([]byte, 32<<10)
	for {
		n, err := from.Read(piece)
		if n > 0 && !p.take(piece[:n], from) {
			if _, err := to.Write(piece[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// take records, and tells whether the bytes shall go no further.
func (p *proxy) take(piece []byte, from net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = p.recorded.Write(piece)
	if p.conns[from] {
		p.dropped = true
		p.open.Broadcast()
	}
	return p.conns[from]
}

// cut ends all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.Close()
	}
	clear(p.conns)
}

// hold makes new connections wait until release.
func (p *proxy) hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = true
}

func (p *proxy) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = false
	p.open.Broadcast()
}

// swallow drops what the server sends on the connections of the moment.
func (p *proxy) swallow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dropped = false
	for c := range p.conns {
		p.conns[c] = c.RemoteAddr().String() == p.target
	}
}

// swallowed waits until something was dropped.
func (p *proxy) swallowed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.dropped {
		p.open.Wait()
	}
}

// shows tells whether a text crossed, in whatever form.
func (p *proxy) shows(text string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(canary.Find(p.recorded.Bytes(), text)) > 0
}
