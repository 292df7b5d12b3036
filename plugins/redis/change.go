package redis

import (
	"context"
	"log/slog"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/msalext/msalext/extensions/backend"
)

// change runs a script that changes an item, again where the answer was lost:
// the scripts tell whether they did it before. Only when somebody else changed
// the item after that can't they tell, and then the error says so.
func (s *store) change(ctx context.Context, key string, next func(before *tried) (*goredis.Script, []any)) error {
	before := &tried{}
	_, err := in(ctx, s, s.limits.answer, func(ctx context.Context) (struct{}, error) {
		script, args := next(before)
		return struct{}{}, s.changeOnce(before.within(ctx), key, before, script, args)
	})
	if s.place.replicas > 0 {
		s.doubts.settle(key, err, before.perhaps(), s.limits.doubt)
	}
	return err
}

func (s *store) changeOnce(ctx context.Context, key string, before *tried, script *goredis.Script, args []any) error {
	a, acknowledged, err := s.confirmed(ctx, script, key, args)
	if err != nil {
		return err
	}
	status, err := a.status()
	switch {
	case err != nil:
		return err
	case status == conflict && before.perhaps():
		return errDoubt
	case status == conflict:
		return backend.ErrConflict
	case acknowledged < s.place.replicas:
		before.note(errFewReplicas) // the next try finds it done
		return fewReplicas(acknowledged, s.place.replicas)
	case status == unheard:
		s.warnUnheard()
	}
	return nil
}

// eval runs a script. The server may have forgotten it, by SCRIPT FLUSH, a
// restart or a failover, and then gets its text.
func (s *store) eval(ctx context.Context, script *goredis.Script, key string, args ...any) (answer, error) {
	return script.Run(ctx, s.client, []string{s.place.names.of(key)}, args...).Slice()
}

// confirmed is eval, and waits until enough replicas have acknowledged what was
// written. For that, both have to go by one connection.
func (s *store) confirmed(ctx context.Context, script *goredis.Script, key string, args []any) (answer, int, error) {
	if s.place.replicas == 0 {
		a, err := s.eval(ctx, script, key, args...)
		return a, 0, err
	}
	name := s.place.names.of(key)
	node, err := s.client.node(ctx, name)
	if err != nil {
		return nil, 0, err
	}
	a, acknowledged, err := s.evalAndWait(ctx, node, script.EvalSha, name, args)
	if code(err) == "NOSCRIPT" {
		a, acknowledged, err = s.evalAndWait(ctx, node, script.Eval, name, args)
	}
	return a, acknowledged, err
}

type evaluate func(context.Context, goredis.Scripter, []string, ...any) *goredis.Cmd

func (s *store) evalAndWait(ctx context.Context, node *goredis.Client, eval evaluate, name string, args []any) (answer, int, error) {
	pipe := node.Pipeline()
	answered := eval(ctx, pipe, []string{name}, args...)
	waited := goredis.NewIntCmd(ctx, "wait", s.place.replicas, waitFor(ctx).Milliseconds())
	_ = pipe.Process(ctx, waited)
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, 0, err
	}
	a, err := answered.Slice()
	return a, int(waited.Val()), err
}

// waitFor is most of the time that is left: WAIT's answer has to come in time
// too, and Redis lets it take a tenth of a second longer.
func waitFor(ctx context.Context) time.Duration {
	deadline, _ := ctx.Deadline()
	return max(time.Until(deadline)*3/4, time.Millisecond) // 0 would be for ever
}

// warnUnheard tells once that other processes learn late of changes.
func (s *store) warnUnheard() {
	s.unheard.Do(func() {
		slog.Warn("msalext: the Redis user may not publish, so other processes notice changes late; allow the channels of the prefix in its ACL",
			slog.String("channels", "&"+s.place.names.of("")+"*"), slog.Duration("late", s.limits.look))
	})
}
