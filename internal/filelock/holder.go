package filelock

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"sync"
)

// maxContent bounds what is read of a lock file; peers write a process id and
// a program's path.
const maxContent = 1024

// holder is what a lock file says of who holds the lock. The zero value: it
// says nothing.
type holder struct {
	pid     int    // 0: not known
	program string // for people; printable ASCII without spaces at its ends
	host    string // empty: written by a peer
	ns      string // pid namespace; empty where the system has none
	start   string // tells processes with one id apart; opaque
}

// parse understands what ours and the peers write: "<pid> <program>", where
// .NET and older versions of others put braces around the id, a byte order
// mark before or a line end after. Rubbish is the zero holder.
func parse(b []byte) holder {
	b = bytes.TrimPrefix(b[:min(len(b), maxContent)], []byte("\xef\xbb\xbf"))
	fields := strings.Fields(string(b))
	if len(fields) == 0 {
		return holder{}
	}
	pid, err := strconv.ParseUint(strings.Trim(fields[0], "{},"), 10, 31)
	if err != nil || pid == 0 {
		return holder{}
	}
	h := holder{pid: int(pid)}
	return h.withRest(fields[1:])
}

// withRest reads our own fields from the end, since a program's path may
// contain spaces.
func (h holder) withRest(fields []string) holder {
	for n := len(fields); n > 0; n = len(fields) {
		name, value, _ := strings.Cut(fields[n-1], "=")
		switch name {
		case "host":
			h.host = clean(value)
		case "ns":
			h.ns = clean(value)
		case "start":
			h.start = clean(value)
		default:
			h.program = clean(strings.Join(fields, " "))
			return h
		}
		fields = fields[:n-1]
	}
	return h
}

// format is the inverse of parse for a program and host without spaces.
func (h holder) format() []byte {
	var b bytes.Buffer
	b.WriteString(strconv.Itoa(h.pid) + " " + oneWord(h.program))
	for _, f := range [][2]string{{"host", h.host}, {"ns", h.ns}, {"start", h.start}} {
		if f[1] != "" {
			b.WriteString(" " + f[0] + "=" + oneWord(f[1]))
		}
	}
	return b.Bytes()
}

// clean makes foreign text safe to show in a terminal or a log: at most 64
// printable ASCII characters.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	return strings.TrimSpace(s[:min(len(s), 64)])
}

func oneWord(s string) string {
	if s = clean(strings.Join(strings.Fields(s), "_")); s == "" {
		return "-"
	}
	return s
}

// String tells people who it is.
func (h holder) String() string {
	if h.pid == 0 {
		return "a process that didn't write its id"
	}
	s := "process " + strconv.Itoa(h.pid)
	if h.program != "" {
		s += " (" + h.program + ")"
	}
	if h.host != "" {
		s += " on " + h.host
	}
	return s
}

// here is what self writes besides the program's name; it never changes.
var here = sync.OnceValue(func() holder {
	host, err := os.Hostname()
	if err != nil {
		host = "-" // still tells our files from peers'
	}
	return holder{pid: os.Getpid(), host: oneWord(host), ns: pidNamespace(), start: lookUp(os.Getpid()).start}
})

func self(program string) holder {
	h := here()
	h.program = oneWord(program)
	return h
}
