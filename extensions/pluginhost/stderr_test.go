package pluginhost

import (
	"log/slog"
	"strings"
	"testing"
)

func TestPrintingPluginGoesOn(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	s, _ := mustOpen(t, h, "store")
	for range 20 {
		if _, err := s.Load(t.Context(), "print", ""); err != nil {
			t.Fatal(err)
		}
	}
}

func TestParseLog(t *testing.T) {
	for _, c := range []struct {
		line    string
		level   slog.Level
		message string
		attrs   int
	}{
		{`{"@level":"warn","@message":"hi","@timestamp":"x","n":1,"s":"t","o":{"a":1}}`, slog.LevelWarn, "hi", 2},
		{`{"level":"ERROR","msg":"hi","time":"x"}`, slog.LevelError, "hi", 0},
		{`{"@message":1,"@level":[],"@timestamp":{}}`, slog.LevelDebug, "", 0},
		{`[INFO] text`, slog.LevelInfo, "text", 0},
		{`[NOTE] text`, slog.LevelDebug, "[NOTE] text", 0},
		{"a\x1b[31m\x00b\r\nc", slog.LevelDebug, "a[31mbc", 0},
		{"panic: no", slog.LevelError, "panic: no", 0},
		{`null`, slog.LevelDebug, "null", 0},
		{`{"@message":"a\nb\u202e"}`, slog.LevelDebug, "ab", 0},
		{"\xff\xfe", slog.LevelDebug, "", 0},
	} {
		level, message, attrs := parseLog([]byte(c.line))
		if level != c.level || message != c.message || len(attrs) != c.attrs {
			t.Errorf("%q: %v %q %v", c.line, level, message, attrs)
		}
	}
}

func TestLogRate(t *testing.T) {
	var log syncBuffer
	p := &logPipe{logger: logTo(&log, slog.LevelDebug)}
	p.run(strings.NewReader(strings.Repeat("line\n", 10*logRate)))
	if n := strings.Count(log.String(), "\n"); n > 2*logRate || !strings.Contains(log.String(), "dropped=") {
		t.Errorf("%d lines logged", n)
	}
}

func TestDefaultLogIsQuiet(t *testing.T) {
	var log syncBuffer
	old := slog.Default()
	defer slog.SetDefault(old)
	l := (*Options)(nil).filled().Logger
	slog.SetDefault(logTo(&log, slog.LevelDebug))
	l.With("a", 1).WithGroup("g").Info("no")
	l.Info("no")
	l.Warn("yes")
	l.With("a", 1).With("b", 2).Error("yes")
	if got := strings.Count(log.String(), "\n"); got != 2 || strings.Contains(log.String(), "no") {
		t.Errorf("logged: %s", log.String())
	}
	if levelName(l) != "warn" || levelName(slog.New(slog.DiscardHandler)) != "off" {
		t.Errorf("levels: %s", levelName(l))
	}
}
