package redis

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// onces are what was done once in this process, by text.
type onces struct{ done sync.Map }

func (o *onces) do(text string, fn func()) {
	if _, before := o.done.LoadOrStore(text, true); !before {
		fn()
	}
}

// greet sees whether the server answers this user, and asks what limits it has.
func (s *store) greet(ctx context.Context, most time.Duration, warned *onces) error {
	_, err := in(ctx, s, most, func(ctx context.Context) (struct{}, error) {
		masters, err := s.client.masters(ctx)
		for _, node := range masters {
			if err == nil {
				err = s.ask(ctx, node, warned)
			}
		}
		return struct{}{}, err
	})
	return err
}

// ask looks at one server. What the user may not ask stays unknown.
func (s *store) ask(ctx context.Context, node *goredis.Client, warned *onces) error {
	pipe := node.Pipeline()
	pong := pipe.Ping(ctx)
	memory := pipe.Info(ctx, "memory")
	largest := goredis.NewSliceCmd(ctx, "config", "get", "proto-max-bulk-len")
	_ = pipe.Process(ctx, largest)
	if err := carriedOut(ctx, pipe); err != nil {
		return err
	}
	if err := pong.Err(); err != nil && code(err) != "NOPERM" {
		return err
	}
	if pair, err := largest.Result(); err == nil && len(pair) == 2 {
		text, _ := pair[1].(string)
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > 0 {
			s.bytes = min(s.bytes, n)
		}
	}
	if policy := evicting(memory.Val(), s.place.ttl > 0); policy != "" {
		where := strings.Join(s.place.addresses, ",")
		warned.do(where+" "+policy, func() {
			slog.Warn("msalext: the Redis server drops items when its memory is full, and people then have to sign in again; set maxmemory-policy to noeviction, or keep tokens on a server of their own",
				slog.String("address", where), slog.String("maxmemory-policy", policy))
		})
	}
	return nil
}

// evicting returns the policy by which a server may drop items of ours, from
// the section memory of INFO; "": by none.
func evicting(info string, expire bool) string {
	fields := map[string]string{}
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		fields[name] = value
	}
	policy := fields["maxmemory_policy"]
	all := strings.HasPrefix(policy, "allkeys-")
	some := strings.HasPrefix(policy, "volatile-") && expire
	if limit := fields["maxmemory"]; limit == "" || limit == "0" || !all && !some {
		return ""
	}
	return policy
}
