package pluginhost

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// askTimeout is how long a plugin may take to say that it is there.
const askTimeout = time.Second

// A silence is the time in which a plugin answered no call, although calls
// waited for it. It is safe for concurrent use.
type silence struct {
	mu     sync.Mutex
	misses int       // deadlines missed in a row
	since  time.Time // when the first of those calls began
}

// end notes an answer.
func (s *silence) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.misses = 0
}

// lasts tells whether no call was answered since the last that wasn't.
func (s *silence) lasts() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.misses > 0
}

// miss notes the missed deadline of a call that began then. It returns how many
// were missed in a row, and how long nothing was answered.
func (s *silence) miss(began time.Time) (int, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.misses == 0 || began.Before(s.since) {
		s.since = began
	}
	s.misses++
	return s.misses, time.Since(s.since)
}

// missed notes a deadline that went by without an answer, and ends a plugin
// that can't answer, so that the next call has a new one. Where a slow disk
// keeps its store, the plugin itself still says that it is there, and is left
// to it for as long as the host would have waited: limit.
func (p *process) missed(began time.Time, limit time.Duration) {
	misses, lasted := p.silence.miss(began)
	switch {
	case stopped(p.child.pid):
		p.kill()
	case misses < 2:
	case lasted >= limit:
		p.kill()
	default:
		go p.ask() // whoever waited has waited long enough
	}
}

// ask ends a plugin that doesn't say within askTimeout that it is there.
func (p *process) ask() {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	_, err := healthpb.NewHealthClient(p.conn.Conn).Check(ctx, &healthpb.HealthCheckRequest{Service: "plugin"})
	// Whatever else it says, it speaks: the service is optional.
	if code := status.Code(err); (code == codes.DeadlineExceeded || code == codes.Unavailable) && p.silence.lasts() {
		p.kill()
	}
}
