package plugin

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLogRecords(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		log  func(*slog.Logger)
		want map[string]any
	}{
		{"an error", func(l *slog.Logger) { l.Error("m", "err", io.EOF) },
			map[string]any{"@level": "error", "@message": "m", "err": "EOF"}},
		{"values that JSON hasn't", func(l *slog.Logger) { l.Warn("m", "n", math.NaN(), "c", complex(1, 2), "ok", 1) },
			map[string]any{"@level": "warn", "@message": "m", "n": "NaN", "c": "(1+2i)", "ok": 1.0}},
		{"the record's own keys", func(l *slog.Logger) { l.With("@level", "off").Warn("m", "@message", "x", "@@timestamp", "y") },
			map[string]any{"@level": "warn", "@message": "m", "level": "off", "message": "x", "timestamp": "y"}},
		{"groups", func(l *slog.Logger) {
			l.WithGroup("g").With("a", 1).WithGroup("h").Warn("m", "b", 2, slog.Group("i", "c", 3), slog.Group("", "d", 4))
		},
			map[string]any{"@level": "warn", "@message": "m", "g.a": 1.0, "g.h.b": 2.0, "g.h.i.c": 3.0, "g.h.d": 4.0}},
		{"nothing", func(l *slog.Logger) { l.Warn("m", slog.Attr{}) }, map[string]any{"@level": "warn", "@message": "m"}},
		{"below the level", func(l *slog.Logger) { l.Info("m") }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			tt.log(slog.New(newLogs(&out, "").handler()))
			var got map[string]any
			if err := json.Unmarshal([]byte(out.String()), &got); err != nil && tt.want != nil {
				t.Fatalf("%v: %q", err, out.String())
			}
			if stamp, ok := got["@timestamp"].(string); ok {
				if _, err := time.Parse(timeFormat, stamp); err != nil {
					t.Error(err)
				}
				delete(got, "@timestamp")
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLogLevels(t *testing.T) {
	t.Parallel()
	for level, want := range map[string]string{
		"trace": "trace debug info warn error", "debug": "debug info warn error", " Info ": "info warn error",
		"warn": "warn error", "": "warn error", "nonsense": "warn error", "error": "error", "off": "",
	} {
		var out strings.Builder
		l := slog.New(newLogs(&out, level).handler())
		for _, at := range []slog.Level{trace, slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
			l.Log(t.Context(), at, "m")
		}
		var got []string
		for line := range strings.Lines(out.String()) {
			var record map[string]any
			if err := json.Unmarshal([]byte(line), &record); err != nil {
				t.Fatal(err)
			}
			got = append(got, record["@level"].(string))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %v", level, got)
		}
	}
}

func TestLogToNobody(t *testing.T) {
	t.Parallel()
	l := newLogs(brokenPipe{}, "")
	if err := l.write(map[string]any{"a": errors.New("b")}); err == nil {
		t.Error("the failure is hidden")
	}
}
