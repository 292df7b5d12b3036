package filelock

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/internal/testproc"
)

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		want     holder
	}{
		{"Python and Node", "4711 /usr/bin/python3", holder{pid: 4711, program: "/usr/bin/python3"}},
		{"braces, as Go and .NET write", "{4711} {/opt/my app/az}", holder{pid: 4711, program: "{/opt/my app/az}"}},
		{"byte order mark", "\xef\xbb\xbf4711 dotnet", holder{pid: 4711, program: "dotnet"}},
		{"pid alone", "4711", holder{pid: 4711}},
		{"line ends", "4711 az\r\nmore\n", holder{pid: 4711, program: "az more"}},
		{"ours", "4711 az host=box ns=40 start=99", holder{pid: 4711, program: "az", host: "box", ns: "40", start: "99"}},
		{"terminal escapes", "4711 \x1b[2Jevil\a", holder{pid: 4711, program: "?[2Jevil?"}},
		{"empty", "", holder{}},
		{"spaces", " \n\t", holder{}},
		{"rubbish", "lock", holder{}},
		{"zero", "0 x", holder{}},
		{"negative: kill would signal a group", "-1 x", holder{}},
		{"too large", "99999999999999999999", holder{}},
		{"NULs, as after a crash", "\x00\x00\x00\x00", holder{}},
		{"long", "1 " + strings.Repeat("x", 4000), holder{pid: 1, program: strings.Repeat("x", 64)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, parse([]byte(tt.in)), cmp.AllowUnexported(holder{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "1 a", "{1} {b c}", "\xef\xbb\xbf12", "7 a host=h ns=n start=s", "7 host=", "-1", "7 = host=a=b"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h := parse(b)
		if h.pid < 0 || h.pid == 0 && h != (holder{}) {
			t.Fatalf("%q: %+v", b, h)
		}
		if text := h.String(); strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) || len(text) > 200 {
			t.Fatalf("unsafe to show: %q", text)
		}
		if h.pid == 0 {
			return
		}
		if again := parse(h.format()); again.pid != h.pid || string(again.format()) != string(h.format()) {
			t.Fatalf("%+v became %+v", h, again)
		}
	})
}

func TestOwnContentIsUnderstood(t *testing.T) {
	t.Parallel()
	h := parse(self(" my\tprogram ").format())
	if h != self(" my\tprogram ") || h.pid != os.Getpid() || h.program != "my_program" {
		t.Errorf("got %+v", h)
	}
}

func TestGrace(t *testing.T) {
	t.Parallel()
	live := start(t, testproc.Command(t, "hold", cachePath(t)))
	t.Cleanup(func() { _ = live.Wait() }) // the test's context ended it
	me, now := self("x"), time.Now()
	with := func(change func(*holder)) holder { h := me; change(&h); return h }
	dead := deadPID(t)
	tests := []struct {
		name  string
		h     holder
		age   time.Duration
		flock bool
		want  time.Duration
	}{
		{"we live", me, 0, true, forEver},
		{"our pid, another start", with(func(h *holder) { h.start = "1" }), 0, true, graceOurs},
		{"dead process of ours", with(func(h *holder) { h.pid = dead; h.start = "" }), 0, true, graceOurs},
		{"other host", with(func(h *holder) { h.host = "elsewhere"; h.pid = dead }), 0, true, graceForeign},
		{"other pid namespace", with(func(h *holder) { h.ns = "1"; h.pid = dead }), 0, true, graceForeign},
		{"live peer", holder{pid: live.Process.Pid}, 0, true, forEver},
		{"dead peer", holder{pid: dead}, 0, true, gracePeer},
		{"peer's pid given to a younger process", holder{pid: os.Getpid()}, 24 * time.Hour, true, graceUnsure},
		{"says nothing", holder{}, 24 * time.Hour, true, graceUnsure},
		{"no flock: never by pid", with(func(h *holder) { h.pid = dead }), 0, false, graceForeign},
		{"no flock: alive", me, 0, false, graceForeign},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := graceFor(tt.h, now.Add(-tt.age), tt.flock); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
