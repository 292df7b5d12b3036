//go:build chaos

package chaos

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// ledger is what all processes told. What a process wrote into its pipe stays
// there when it is killed, so nothing that was acknowledged is forgotten.
type ledger struct {
	mu     sync.Mutex
	prev   map[string]string // by the sum of each state that somebody meant to write
	acked  []string
	read   map[string]bool
	reads  int
	errors []string // of writers, by design or not
	bad    []string // of readers: what must never be
	ackAt  time.Time
	acks   chan struct{} // gets one when ackAt moves
}

func newLedger() *ledger {
	return &ledger{prev: map[string]string{}, read: map[string]bool{}, acks: make(chan struct{}, 1)}
}

// The lines that children print: a word for what happened, and its sum.
const (
	meant  = "meant"  // sum, and that of the state before
	done   = "done"   // sum: Update returned without an error
	seen   = "seen"   // sum of what a reader got, when it is new to it
	failed = "failed" // an error of Update or Load
	wrong  = "wrong"  // a reader saw what it must not
	ready  = "ready"  // the store is open
)

// follow takes down what a process prints, until it ends.
func (l *ledger) follow(r io.Reader, isReady func()) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		if word == ready {
			isReady()
			continue
		}
		l.note(word, rest)
	}
}

func (l *ledger) note(word, rest string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch word {
	case meant:
		sum, prev, _ := strings.Cut(rest, " ")
		l.prev[sum] = prev
	case done:
		l.acked = append(l.acked, rest)
		l.ackAt = time.Now()
		select {
		case l.acks <- struct{}{}:
		default:
		}
	case seen:
		l.read[rest] = true
		l.reads++
	case failed:
		l.errors = append(l.errors, rest)
	default:
		l.bad = append(l.bad, word+" "+rest)
	}
}

// healed waits for a write that is acknowledged after the given time.
func (l *ledger) healed(t *testing.T, after time.Time) time.Duration {
	t.Helper()
	deadline := time.After(patience)
	for {
		l.mu.Lock()
		at := l.ackAt
		l.mu.Unlock()
		if at.After(after) {
			return at.Sub(after)
		}
		select {
		case <-l.acks:
		case <-deadline:
			t.Fatalf("no writer got on within %v of a kill", patience)
		}
	}
}

// check walks the chain back from what is stored at the end. Everything that
// was acknowledged or read must be a link of it.
func (l *ledger) check(t *testing.T, last state) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range l.bad {
		t.Error(b)
	}
	chain := map[string]bool{}
	for sum := last.Sum; sum != ""; sum = l.prev[sum] {
		if _, known := l.prev[sum]; !known {
			t.Fatalf("state %s was published by nobody", sum)
		}
		chain[sum] = true
	}
	if len(chain) != last.N {
		t.Errorf("the chain has %d links and ends with number %d", len(chain), last.N)
	}
	for _, sum := range l.acked {
		if !chain[sum] {
			t.Errorf("state %s was acknowledged, and is lost", sum)
		}
	}
	for sum := range l.read {
		if !chain[sum] {
			t.Errorf("state %s was read, and never published", sum)
		}
	}
}

func (l *ledger) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprintf("%d writes begun, %d acknowledged, %d failed, %d different reads", len(l.prev), len(l.acked), len(l.errors), l.reads)
}
