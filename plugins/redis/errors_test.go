package redis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/msalext/msalext/extensions/backend"
)

// said is an error as a server answers it.
type said string

func (s said) Error() string { return string(s) }
func (said) RedisError()     {}

func TestErrors(t *testing.T) {
	t.Parallel()
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	reset := &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	tests := []struct {
		err     error
		kind    error
		passing bool // another try may succeed
		perhaps bool // it may have happened
	}{
		{said("LOADING Redis is loading the dataset in memory"), backend.ErrUnavailable, true, false},
		{said("READONLY You can't write against a read only replica."), backend.ErrUnavailable, true, false},
		{said("ERR Error running script (call to f_1): @user_script:3: -READONLY You can't write"), backend.ErrUnavailable, true, false},
		{said("MASTERDOWN Link with MASTER is down"), backend.ErrUnavailable, true, false},
		{said("CLUSTERDOWN The cluster is down"), backend.ErrUnavailable, true, false},
		{said("TRYAGAIN Multiple keys request during rehashing of slot"), backend.ErrUnavailable, true, false},
		{said("MOVED 3999 127.0.0.1:6381"), backend.ErrUnavailable, true, false},
		{said("ASK 3999 127.0.0.1:6381"), backend.ErrUnavailable, true, false},
		{said("NOREPLICAS Not enough good replicas to write."), backend.ErrUnavailable, true, false},
		{said("BUSY Redis is busy running a script."), backend.ErrUnavailable, true, false},
		{said("ERR max number of clients reached"), backend.ErrUnavailable, true, false},
		{said("UNBLOCKED force unblock from blocking operation"), backend.ErrUnavailable, true, true},
		{said("OOM command not allowed when used memory > 'maxmemory'."), backend.ErrUnavailable, false, false},
		{said("MISCONF Redis is configured to save RDB snapshots"), backend.ErrUnavailable, false, false},
		{said("NOAUTH Authentication required."), backend.ErrDenied, false, false},
		{fmt.Errorf("failed to authenticate: %w", said("WRONGPASS invalid username-password pair or user is disabled.")), backend.ErrDenied, false, false},
		{said("ERR invalid password"), backend.ErrDenied, false, false},
		{said("NOPERM this user has no permissions"), backend.ErrDenied, false, false},
		{said("ERR The user executing the script can't run this command or subcommand script: 1"), backend.ErrDenied, false, false},
		{said("DENIED Redis is running in protected mode"), backend.ErrDenied, false, false},
		{said("ERR DB index is out of range"), backend.ErrInvalid, false, false},
		{said("ERR This instance has cluster support disabled"), backend.ErrInvalid, false, false},
		{said("ERR unknown command `EVALSHA`"), backend.ErrUnsupported, false, false},
		{said("WRONGTYPE Operation against a key holding the wrong kind of value"), backend.ErrCorrupt, false, false},
		{said("ERR something else with hunter2 in it"), backend.ErrUnavailable, false, false},
		{said("\x1b[31mhunter2 said the server"), backend.ErrUnavailable, false, false},
		{goredis.Nil, backend.ErrInvalid, false, false},
		{refused, backend.ErrUnavailable, true, false},
		{fmt.Errorf("all are unreachable: %w", errors.Join(refused, refused)), backend.ErrUnavailable, true, false},
		{reset, backend.ErrUnavailable, true, true},
		{io.EOF, backend.ErrUnavailable, true, true},
		{goredis.ErrPoolTimeout, backend.ErrUnavailable, true, false},
		{&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, backend.ErrTimeout, true, true},
		{context.DeadlineExceeded, backend.ErrTimeout, true, true},
		{&net.OpError{Op: "remote error", Err: errors.New("tls: certificate required")}, backend.ErrDenied, false, false},
		{&net.OpError{Op: "dial", Err: distant("10.0.0.1:1")}, backend.ErrInvalid, false, false},
		{fewReplicas(1, 2), backend.ErrUnavailable, true, true},
		{errDoubt, backend.ErrUnavailable, false, true},
		{backend.ErrConflict, backend.ErrConflict, false, true},
	}
	for _, tt := range tests {
		got := fail("save", explain(tt.err))
		e, ok := errors.AsType[*backend.Error](got)
		if !errors.Is(got, tt.kind) || !ok || e.Op == "" || e.Backend != name || e.Hint == "" && tt.kind != backend.ErrConflict {
			t.Errorf("%v: got %v, want %q", tt.err, got, tt.kind)
		}
		if strings.Contains(got.Error(), "hunter2 ") || strings.ContainsRune(got.Error(), '\x1b') {
			t.Errorf("%v: what the server says shows: %v", tt.err, got)
		}
		if passing(tt.err) != tt.passing {
			t.Errorf("%v: passing is %v", tt.err, !tt.passing)
		}
		if mayHaveHappened(tt.err) != tt.perhaps {
			t.Errorf("%v: that it may have happened is %v", tt.err, !tt.perhaps)
		}
	}
}

func TestOddAnswers(t *testing.T) {
	t.Parallel()
	for _, a := range []answer{nil, {}, {"1"}, {nil}, {[]any{}}} {
		if _, err := a.status(); !errors.Is(err, backend.ErrUnavailable) {
			t.Errorf("%v: %v", a, err)
		}
	}
	for _, a := range []answer{{int64(1)}, {int64(1), int64(2), "x"}, {int64(1), "v"}, {int64(1), "v", nil}} {
		if _, err := loaded(a, backend.None); !errors.Is(err, backend.ErrUnavailable) {
			t.Errorf("%v: %v", a, err)
		}
	}
}

func TestEvictingPolicies(t *testing.T) {
	t.Parallel()
	info := func(limit, policy string) string {
		return "# Memory\r\nused_memory:1\r\nmaxmemory:" + limit + "\r\nmaxmemory_policy:" + policy + "\r\n"
	}
	tests := []struct {
		info   string
		expire bool
		want   string
	}{
		{info("100", "noeviction"), true, ""},
		{info("100", "allkeys-lru"), false, "allkeys-lru"},
		{info("0", "allkeys-lru"), true, ""},
		{info("100", "volatile-ttl"), true, "volatile-ttl"},
		{info("100", "volatile-ttl"), false, ""},
		{"", true, ""},
	}
	for _, tt := range tests {
		if got := evicting(tt.info, tt.expire); got != tt.want {
			t.Errorf("%q, %v: got %q, want %q", tt.info, tt.expire, got, tt.want)
		}
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	for ttl, want := range map[time.Duration]int64{
		0: 0, -time.Hour: 0, 1: 1, time.Millisecond: 1, time.Millisecond + 1: 2, time.Hour: 3600000, 1<<63 - 1: 3153600000000,
	} {
		if got := milliseconds(ttl); got != want {
			t.Errorf("%v is %d ms, want %d", ttl, got, want)
		}
	}
	for text, known := range map[string]bool{"": false, "x": false, "-1": false, "0": false, "1700000000123456": true} {
		if got := modified(text); got.IsZero() == known {
			t.Errorf("%q is %v", text, got)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if got := patience(ctx, time.Hour); got > 50*time.Second || got < 40*time.Second {
		t.Errorf("of a minute %v are used", got)
	}
	if got := patience(t.Context(), time.Second); got > time.Second {
		t.Errorf("without a deadline: %v", got)
	}
}

// A watch tells why a server was away, and not that a look at it took long.
func TestAbsence(t *testing.T) {
	t.Parallel()
	var a absence
	if err := a.after(context.DeadlineExceeded, time.Hour); err == nil {
		t.Error("an absence that never began lasts no time")
	}
	for _, err := range []error{nil, context.DeadlineExceeded, io.EOF, context.DeadlineExceeded} {
		if err := a.after(err, time.Hour); err != nil {
			t.Errorf("it ends at once: %v", err)
		}
	}
	if err := a.after(context.DeadlineExceeded, 0); err != io.EOF {
		t.Errorf("the reason is %v", err)
	}
	_ = a.after(nil, time.Hour)
	if err := a.after(context.DeadlineExceeded, 0); err != context.DeadlineExceeded {
		t.Errorf("the reason of a later absence is %v", err)
	}
	if err := a.after(backend.ErrClosed, time.Hour); err != backend.ErrClosed {
		t.Errorf("what doesn't pass: %v", err)
	}
}

func TestDoubtsAreForgotten(t *testing.T) {
	t.Parallel()
	var d doubts
	d.settle("k", fewReplicas(0, 1), true, time.Hour)
	if err := d.about("k"); !errors.Is(err, errFewReplicas) {
		t.Errorf("got %v", err)
	}
	if err := d.about("other"); err != nil {
		t.Errorf("of another item: %v", err)
	}
	d.settle("k", nil, false, time.Hour)
	if err := d.about("k"); err != nil {
		t.Errorf("after it was settled: %v", err)
	}
	for _, err := range []error{errDoubt, backend.ErrConflict, context.Canceled} {
		if d.settle("k", err, true, time.Hour); d.about("k") != nil {
			t.Errorf("%v leaves a doubt", err)
		}
	}
	d.settle("old", io.EOF, true, -time.Second)
	d.settle("k", fewReplicas(0, 1), true, -time.Second)
	d.settle("new", fewReplicas(0, 1), true, time.Hour)
	if len(d.items) != 1 || d.about("k") != nil {
		t.Errorf("%d doubts are kept", len(d.items))
	}
}
