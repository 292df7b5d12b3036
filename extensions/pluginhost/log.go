package pluginhost

import (
	"context"
	"log/slog"
)

// defaultLog hands records from Warn up to whatever slog.Default is at that
// moment, so that a program may set it after it made its Host.
type defaultLog struct{}

func (defaultLog) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && slog.Default().Enabled(ctx, l)
}

func (defaultLog) Handle(ctx context.Context, r slog.Record) error {
	return slog.Default().Handler().Handle(ctx, r)
}

func (defaultLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return raised{slog.Default().Handler().WithAttrs(attrs)}
}

func (defaultLog) WithGroup(name string) slog.Handler {
	return raised{slog.Default().Handler().WithGroup(name)}
}

// raised drops what is below Warn.
type raised struct{ slog.Handler }

func (r raised) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && r.Handler.Enabled(ctx, l)
}

func (r raised) WithAttrs(attrs []slog.Attr) slog.Handler {
	return raised{r.Handler.WithAttrs(attrs)}
}

func (r raised) WithGroup(name string) slog.Handler { return raised{r.Handler.WithGroup(name)} }
