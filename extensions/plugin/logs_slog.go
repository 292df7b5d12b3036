package plugin

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	"github.com/hashicorp/go-hclog"
)

// handler is logs as a slog.Handler. Groups show as prefixes, joined by ".".
func (l *logs) handler() slog.Handler { return handler{log: l.logger} }

type handler struct {
	log    hclog.Logger
	prefix string
	args   []any
}

func (h handler) Enabled(_ context.Context, l slog.Level) bool {
	return levelOf(l) >= h.log.GetLevel()
}

func (h handler) Handle(_ context.Context, r slog.Record) error {
	args := slices.Clone(h.args)
	r.Attrs(func(a slog.Attr) bool {
		args = flat(args, h.prefix, a)
		return true
	})
	h.log.Log(levelOf(r.Level), r.Message, args...)
	return nil
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.args = slices.Clone(h.args)
	for _, a := range attrs {
		h.args = flat(h.args, h.prefix, a)
	}
	return h
}

func (h handler) WithGroup(name string) slog.Handler {
	if name != "" {
		h.prefix += name + "."
	}
	return h
}

// flat appends an attribute as key and value. Keys with "@" are the record's
// own, so an attribute can't have one.
func flat(args []any, prefix string, a slog.Attr) []any {
	v := a.Value.Resolve()
	if v.Kind() != slog.KindGroup {
		if a.Equal(slog.Attr{}) {
			return args
		}
		return append(args, strings.TrimLeft(prefix+a.Key, "@"), v.Any())
	}
	if a.Key != "" {
		prefix += a.Key + "."
	}
	for _, inner := range v.Group() {
		args = flat(args, prefix, inner)
	}
	return args
}

func levelOf(l slog.Level) hclog.Level {
	switch {
	case l < slog.LevelDebug:
		return hclog.Trace
	case l < slog.LevelInfo:
		return hclog.Debug
	case l < slog.LevelWarn:
		return hclog.Info
	case l < slog.LevelError:
		return hclog.Warn
	}
	return hclog.Error
}
