package redis

import (
	"context"
	"errors"
	"iter"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/msalext/msalext/extensions/backend"
)

// page is how many of the server's keys one step of a listing looks at. All of
// the database are looked at, also those of others.
const page = 1000

// Keys lists the items of this store on every master. What is saved or deleted
// meanwhile may be there or not. In a Cluster whose slots are being moved an
// item may be missing.
func (s *store) Keys(ctx context.Context, prefix string) iter.Seq2[backend.KeyInfo, error] {
	return func(yield func(backend.KeyInfo, error) bool) {
		l := listing{store: s, pattern: s.place.names.pattern(prefix), seen: map[string]bool{}, yield: yield}
		if err := l.run(ctx); err != nil {
			yield(backend.KeyInfo{}, fail("list", s.explain(ctx, err)))
		}
	}
}

// listing is a listing under way. It begins anew, with other nodes, when one
// fails: another may have that one's items by then.
type listing struct {
	store   *store
	pattern string
	seen    map[string]bool // also because SCAN may find a key twice
	yield   func(backend.KeyInfo, error) bool
	came    time.Time // when a node last answered
	over    bool      // the caller wants no more
}

func (l *listing) run(ctx context.Context) error {
	l.came = time.Now()
	for {
		err := l.once(ctx)
		tries := patience(ctx, l.store.limits.answer)
		if !passing(err) || time.Since(l.came) > tries {
			return err
		}
		l.store.client.relearn(ctx)
		select {
		case <-ctx.Done():
		case <-l.store.life.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// once goes through all nodes.
func (l *listing) once(ctx context.Context) error {
	masters, err := beside(ctx, l.store, l.store.limits.answer, l.store.client.masters)
	for _, node := range masters {
		if err == nil && !l.over {
			err = l.node(ctx, node)
		}
	}
	return err
}

func (l *listing) node(ctx context.Context, node *goredis.Client) error {
	for cursor := uint64(0); ; {
		found, err := beside(ctx, l.store, l.store.limits.answer, func(ctx context.Context) (scanned, error) {
			return l.scan(ctx, node, cursor)
		})
		if err != nil {
			return err
		}
		l.came = time.Now()
		for _, info := range found.infos {
			if l.seen[info.Key] {
				continue
			}
			l.seen[info.Key] = true
			if !l.yield(info, nil) {
				l.over = true
				return nil
			}
		}
		if cursor = found.next; cursor == 0 {
			return nil
		}
	}
}

type scanned struct {
	infos []backend.KeyInfo
	next  uint64
}

// scan is one page.
func (l *listing) scan(ctx context.Context, node *goredis.Client, cursor uint64) (scanned, error) {
	names, next, err := node.Scan(ctx, cursor, l.pattern, page).Result()
	if err != nil {
		return scanned{}, err
	}
	var about []described
	pipe := node.Pipeline()
	for _, name := range names {
		if key, ok := l.store.place.names.key(name); ok {
			d := described{key, goredis.NewIntCmd(ctx, "hstrlen", name, "d"), pipe.HGet(ctx, name, "m")}
			_ = pipe.Process(ctx, d.size)
			about = append(about, d)
		}
	}
	if len(about) > 0 {
		if err := carriedOut(ctx, pipe); err != nil {
			return scanned{}, err
		}
	}
	found := scanned{next: next}
	for _, d := range about {
		info, err := d.info()
		if err != nil {
			return scanned{}, err
		}
		if info.Size > 0 { // else it is gone by now, or no item
			found.infos = append(found.infos, info)
		}
	}
	return found, nil
}

// described is what a node says of an item.
type described struct {
	key   string
	size  *goredis.IntCmd
	saved *goredis.StringCmd
}

func (d described) info() (backend.KeyInfo, error) {
	size, err := d.size.Result()
	if code(err) == "WRONGTYPE" {
		return backend.KeyInfo{}, nil
	}
	saved, err2 := d.saved.Result()
	if errors.Is(err2, goredis.Nil) {
		err2 = nil
	}
	return backend.KeyInfo{Key: d.key, Size: size, Modified: modified(saved)}, errors.Join(err, err2)
}

func modified(micros string) time.Time {
	n, err := strconv.ParseInt(micros, 10, 64)
	if err != nil || n <= 0 {
		return time.Time{}
	}
	return time.UnixMicro(n)
}
