package plugintest

import (
	"bytes"
	"log/slog"
	"regexp"
	"strconv"
	"sync"
)

// A transcript is all that host and plugin log. It is safe for concurrent use.
type transcript struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write adds to it.
func (l *transcript) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *transcript) bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.buf.Bytes())
}

// logger asks the plugin for all that it has to say.
func (l *transcript) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug - 4}))
}

var (
	startedRule = regexp.MustCompile(`msg="plugin started" plugin=\S+ pid=([0-9]+) `)
	strayRule   = regexp.MustCompile(`msg="plugin wrote on standard output, which isn't its own to use" plugin=\S+ bytes=([0-9]+)`)
)

// pid is the process that the host started last; 0: none.
func (l *transcript) pid() int {
	all := startedRule.FindAllSubmatch(l.bytes(), -1)
	if len(all) == 0 {
		return 0
	}
	pid, _ := strconv.Atoi(string(all[len(all)-1][1]))
	return pid
}

// stray is how many bytes a plugin wrote where only the handshake may stand, by
// the host's word; empty: none.
func (l *transcript) stray() string {
	if found := strayRule.FindSubmatch(l.bytes()); found != nil {
		return string(found[1])
	}
	return ""
}
