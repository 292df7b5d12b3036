package redisstore

import (
	"context"
	"iter"
	"strings"
	"sync"

	goredis "github.com/redis/go-redis/v9"
)

// page is how many names one step of a listing looks at.
const page = 1000

// row is a session as it lies on the server.
type row struct {
	token, data string
}

// rows yields all sessions, each once. What begins or ends meanwhile may be
// among them or not. An error is the last that comes.
func (s *Store) rows(ctx context.Context) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		nodes, err := s.masters(ctx)
		if err != nil {
			yield(row{}, err)
			return
		}
		seen := map[string]struct{}{} // SCAN may find a name twice
		for _, node := range nodes {
			for r, err := range s.nodeRows(ctx, node) {
				if _, again := seen[r.token]; again && err == nil {
					continue
				}
				seen[r.token] = struct{}{}
				if !yield(r, err) || err != nil {
					return
				}
			}
		}
	}
}

func (s *Store) nodeRows(ctx context.Context, node goredis.UniversalClient) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		pattern := globs.Replace(s.opts.Prefix) + "*"
		for cursor := uint64(0); ; {
			names, next, err := node.Scan(ctx, cursor, pattern, page).Result()
			var rows []row
			if err == nil {
				rows, err = s.read(ctx, node, names)
			}
			if err != nil {
				yield(row{}, err)
				return
			}
			for _, r := range rows {
				if !yield(r, nil) {
					return
				}
			}
			if cursor = next; cursor == 0 {
				return
			}
		}
	}
}

// globs are the characters of a pattern that stand for others.
var globs = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`)

// read fetches sessions together. Something else than a string under such a
// name is nobody's session.
func (s *Store) read(ctx context.Context, node goredis.UniversalClient, names []string) ([]row, error) {
	if len(names) == 0 {
		return nil, nil
	}
	pipe := node.Pipeline()
	for _, name := range names {
		pipe.Get(ctx, name)
	}
	answers, err := pipe.Exec(ctx)
	var rows []row
	for i, a := range answers {
		data, one := a.(*goredis.StringCmd).Result()
		switch {
		case one == nil:
			rows = append(rows, row{strings.TrimPrefix(names[i], s.opts.Prefix), data})
		case one != goredis.Nil && !goredis.HasErrorPrefix(one, "WRONGTYPE"):
			return nil, one
		}
	}
	if len(answers) == 0 { // none was sent
		return nil, err
	}
	return rows, nil
}

// masters are all nodes that have sessions.
func (s *Store) masters(ctx context.Context) ([]goredis.UniversalClient, error) {
	cluster, ok := s.client.(*goredis.ClusterClient)
	if !ok {
		return []goredis.UniversalClient{s.client}, nil
	}
	var mu sync.Mutex
	var all []goredis.UniversalClient
	err := cluster.ForEachMaster(ctx, func(_ context.Context, node *goredis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, node)
		return nil
	})
	return all, err
}
