package redis

import (
	"context"
	"fmt"
	"log/slog"

	goredis "github.com/redis/go-redis/v9"
)

// go-redis prints to standard error what it meets while it connects, which isn't
// a library's place to write. It has one log for the whole process, so a program
// that uses go-redis for itself and wants that log sets its own in main, and that
// one stays.
func init() { goredis.SetLogger(debugLog{}) }

type debugLog struct{}

func (debugLog) Printf(ctx context.Context, format string, args ...any) {
	if slog.Default().Enabled(ctx, slog.LevelDebug) {
		slog.DebugContext(ctx, "go-redis: "+fmt.Sprintf(format, args...))
	}
}
