package plugin

import (
	"io"
	"sync/atomic"

	"github.com/hashicorp/go-hclog"
)

// maxLine is the longest line that go-plugin's host reads in one piece.
const maxLine = 64<<10 - 1

const tooLong = `{"@level":"warn","@message":"a log record was too long and is left out"}` + "\n"

// logs writes records as go-plugin's host understands them: one JSON object a
// line, with @level, @message and @timestamp.
type logs struct {
	logger hclog.Logger
	out    io.Writer
	scrubs atomic.Pointer[func(string) string]
}

// newLogs writes to out what has at least the level, by default warnings.
func newLogs(out io.Writer, level string) *logs {
	l := &logs{out: out}
	least := hclog.LevelFromString(level)
	if least == hclog.NoLevel {
		least = hclog.Warn
	}
	l.logger = hclog.New(&hclog.LoggerOptions{Level: least, Output: l, JSONFormat: true})
	return l
}

// scrub sets what removes secrets from each line.
func (l *logs) scrub(f func(string) string) { l.scrubs.Store(&f) }

// Write writes one line.
func (l *logs) Write(line []byte) (int, error) {
	text := string(line)
	if scrub := l.scrubs.Load(); scrub != nil {
		text = (*scrub)(text)
	}
	if len(text) > maxLine {
		text = tooLong
	}
	if _, err := io.WriteString(l.out, text); err != nil {
		return 0, err
	}
	return len(line), nil
}
