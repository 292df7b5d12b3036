package pluginhost

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
)

const (
	maxLogLine  = 4 << 10 // the rest of a longer line is dropped
	maxLogAttrs = 16
	logRate     = 100 // lines per second
)

// A logPipe turns what a plugin writes on standard error into log records.
// go-plugin's own reader would panic at a line that isn't quite hclog's JSON.
type logPipe struct {
	logger *slog.Logger
	window time.Time // begin of the second that lines are counted in
	count  int
}

// run reads to the end, whatever comes.
func (p *logPipe) run(r io.Reader) {
	reader := bufio.NewReaderSize(r, maxLogLine)
	for {
		line, err := reader.ReadSlice('\n')
		cut := err == bufio.ErrBufferFull
		if len(line) > 0 {
			p.line(line, cut)
		}
		for err == bufio.ErrBufferFull {
			_, err = reader.ReadSlice('\n')
		}
		if err != nil {
			p.flush()
			return
		}
	}
}

func (p *logPipe) line(line []byte, cut bool) {
	if !p.allow() {
		return
	}
	level, message, attrs := parseLog(line)
	if cut {
		attrs = append(attrs, slog.Bool("truncated", true))
	}
	if message != "" || len(attrs) > 0 {
		p.logger.LogAttrs(context.Background(), level, message, attrs...)
	}
}

func (p *logPipe) allow() bool {
	if now := time.Now(); now.Sub(p.window) >= time.Second {
		p.flush()
		p.window = now
	}
	p.count++
	return p.count <= logRate
}

func (p *logPipe) flush() {
	if dropped := p.count - logRate; dropped > 0 {
		p.logger.Warn("plugin logs too much", "dropped", dropped)
	}
	p.count = 0
}

// parseLog reads hclog's JSON and slog's, then text with or without a level
// in brackets. Anything else is text of level Debug.
func parseLog(line []byte) (slog.Level, string, []slog.Attr) {
	var fields map[string]any
	if json.Unmarshal(line, &fields) == nil && fields != nil {
		return parseFields(fields)
	}
	text := printable(string(line))
	if rest, ok := strings.CutPrefix(text, "["); ok {
		if name, message, ok := strings.Cut(rest, "]"); ok {
			if level, ok := levels[strings.ToLower(name)]; ok {
				return level, strings.TrimSpace(message), nil
			}
		}
	}
	if strings.HasPrefix(text, "panic: ") || strings.HasPrefix(text, "fatal error: ") {
		return slog.LevelError, text, nil
	}
	return slog.LevelDebug, text, nil
}

var levels = map[string]slog.Level{
	"trace": slog.LevelDebug - 4, "debug": slog.LevelDebug, "info": slog.LevelInfo,
	"warn": slog.LevelWarn, "warning": slog.LevelWarn, "error": slog.LevelError,
}

func parseFields(fields map[string]any) (slog.Level, string, []slog.Attr) {
	level, message := slog.LevelDebug, ""
	var attrs []slog.Attr
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		text, isText := fields[key].(string)
		switch key {
		case "@level", "level":
			if l, ok := levels[strings.ToLower(text)]; ok {
				level = l
			}
		case "@message", "msg":
			message = printable(text)
		case "@timestamp", "time", "@module", "@caller":
		default:
			if isText && len(attrs) < maxLogAttrs {
				attrs = append(attrs, slog.String(printable(key), printable(text)))
			} else if isScalar(fields[key]) && len(attrs) < maxLogAttrs {
				attrs = append(attrs, slog.Any(printable(key), fields[key]))
			}
		}
	}
	return level, message, attrs
}

func isScalar(v any) bool {
	switch v.(type) {
	case bool, float64:
		return true
	}
	return false
}

// printable drops what would move a terminal's cursor or feign another line.
func printable(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r == unicode.ReplacementChar || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, s))
}

// levelName is the least level that the logger takes, as plugins are told it.
func levelName(l *slog.Logger) string {
	for _, name := range []string{"trace", "debug", "info", "warn", "error"} {
		if l.Enabled(context.Background(), levels[name]) {
			return name
		}
	}
	return "off"
}
