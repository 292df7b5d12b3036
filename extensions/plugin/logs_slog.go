package plugin

import (
	"context"
	"log/slog"
	"maps"
	"strings"
)

// timeFormat is the one that go-plugin's host parses.
const timeFormat = "2006-01-02T15:04:05.000000Z07:00"

// handler is logs as a slog.Handler. Groups show as prefixes, joined by ".".
func (l *logs) handler() slog.Handler { return handler{log: l} }

type handler struct {
	log    *logs
	prefix string
	fields map[string]any
}

func (h handler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.log.least }

func (h handler) Handle(_ context.Context, r slog.Record) error {
	fields := map[string]any{"@level": levelOf(r.Level), "@message": r.Message}
	if !r.Time.IsZero() {
		fields["@timestamp"] = r.Time.Format(timeFormat)
	}
	maps.Copy(fields, h.fields)
	r.Attrs(func(a slog.Attr) bool {
		flatten(fields, h.prefix, a)
		return true
	})
	return h.log.write(fields)
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	fields := map[string]any{}
	maps.Copy(fields, h.fields)
	for _, a := range attrs {
		flatten(fields, h.prefix, a)
	}
	h.fields = fields
	return h
}

func (h handler) WithGroup(name string) slog.Handler {
	if name != "" {
		h.prefix += name + "."
	}
	return h
}

// flatten adds an attribute as key and value. Keys with "@" are the record's
// own, so an attribute can't have one.
func flatten(fields map[string]any, prefix string, a slog.Attr) {
	v := a.Value.Resolve()
	if v.Kind() != slog.KindGroup {
		if !a.Equal(slog.Attr{}) {
			fields[strings.TrimLeft(prefix+a.Key, "@")] = plain(v.Any())
		}
		return
	}
	if a.Key != "" {
		prefix += a.Key + "."
	}
	for _, inner := range v.Group() {
		flatten(fields, prefix, inner)
	}
}

func levelOf(l slog.Level) string {
	switch {
	case l < slog.LevelDebug:
		return "trace"
	case l < slog.LevelInfo:
		return "debug"
	case l < slog.LevelWarn:
		return "info"
	case l < slog.LevelError:
		return "warn"
	}
	return "error"
}
