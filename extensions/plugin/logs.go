package plugin

import (
	"encoding"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strings"
	"sync"
	"sync/atomic"
)

// maxLine is the longest line that go-plugin's host reads in one piece.
const maxLine = 64<<10 - 1

const tooLong = `{"@level":"warn","@message":"a log record was too long and is left out"}`

// logs writes records as go-plugin's host understands them: one JSON object a
// line, with @level, @message and @timestamp.
type logs struct {
	least  slog.Level
	scrubs atomic.Pointer[func(string) string]

	mu  sync.Mutex
	out io.Writer
}

// trace and off are the levels that slog has no name for.
const (
	trace = slog.LevelDebug - 4
	off   = slog.Level(math.MaxInt)
)

// newLogs writes to out what has at least the level, by default warnings.
func newLogs(out io.Writer, level string) *logs {
	levels := map[string]slog.Level{
		"trace": trace, "debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn,
		"error": slog.LevelError, "off": off,
	}
	least, ok := levels[strings.ToLower(strings.TrimSpace(level))]
	if !ok {
		least = slog.LevelWarn
	}
	return &logs{least: least, out: out}
}

// scrub sets what removes secrets from each line.
func (l *logs) scrub(f func(string) string) { l.scrubs.Store(&f) }

// write writes one record.
func (l *logs) write(fields map[string]any) error {
	line := encoded(fields)
	if scrub := l.scrubs.Load(); scrub != nil {
		line = (*scrub)(line)
	}
	if len(line) >= maxLine {
		line = tooLong
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := io.WriteString(l.out, line+"\n")
	return err
}

// encoded is a record as JSON, with values that have no such form as text.
func encoded(fields map[string]any) string {
	line, err := json.Marshal(fields)
	if err == nil {
		return string(line)
	}
	for key, value := range fields {
		if _, err := json.Marshal(value); err != nil {
			fields[key] = fmt.Sprintf("%+v", value)
		}
	}
	line, _ = json.Marshal(fields)
	return string(line)
}

// plain is a value as it stands in a record. Most errors have nothing that JSON
// could show but their text.
func plain(v any) any {
	switch v := v.(type) {
	case json.Marshaler, encoding.TextMarshaler:
	case error:
		return v.Error()
	}
	return v
}
