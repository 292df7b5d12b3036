package redisstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/alexedwards/scs/v2"
	goredis "github.com/redis/go-redis/v9"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/msal/web"
)

// Prefix is what the names of sessions begin with on the server unless
// [Options] say otherwise: that of scs's goredisstore.
const Prefix = "scs:session:"

// Options tune a [Store]. Nil and the zero value are fine.
type Options struct {
	// Prefix begins the name of each session on the server. Empty: [Prefix].
	// Applications on one server need one each: another's sessions look as if their
	// tokens were gone.
	Prefix string
	// Replicas is how many replicas must have acknowledged a session, or its end,
	// before it counts. As many as there are: no failover takes a session away or
	// brings one back, and while a replica is away nobody can sign in or out. 0: a
	// failover may undo the last moments.
	Replicas int
	// Wait is how long they may take; 0: 3 s.
	Wait time.Duration
	// Codec is the session manager's; nil: scs.GobCodec, as there.
	Codec scs.Codec
}

// Store keeps sessions on a Redis server. It is an scs.CtxStore, an
// scs.IterableCtxStore, and both without contexts; with Rows, a web.App lists it
// as it comes. It is safe for concurrent use.
//
// Errors of the server have the kinds of package backend, mostly ErrUnavailable. A
// session that too few replicas acknowledged is [ErrReplicas] as well.
type Store struct {
	client goredis.UniversalClient
	opts   Options
}

var (
	_ scs.CtxStore         = (*Store)(nil)
	_ scs.IterableCtxStore = (*Store)(nil)
	_ scs.IterableStore    = (*Store)(nil)
)

// ErrReplicas: a session was stored or removed, and too few replicas have
// acknowledged it in time; a failover may undo it.
var ErrReplicas = errors.New("too few replicas acknowledged the session")

// New returns a store on a server, a master that Sentinel names, or a Cluster,
// whichever the client is for. The caller closes the client.
func New(client goredis.UniversalClient, opts *Options) *Store {
	s := &Store{client: client}
	if opts != nil {
		s.opts = *opts
	}
	s.opts.Prefix = cmp.Or(s.opts.Prefix, Prefix)
	s.opts.Wait = cmp.Or(s.opts.Wait, 3*time.Second)
	if s.opts.Codec == nil {
		s.opts.Codec = scs.GobCodec{}
	}
	return s
}

// FindCtx returns the data of a session; false where there is none.
func (s *Store) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	data, err = s.client.Get(ctx, s.opts.Prefix+token).Bytes()
	if errors.Is(err, goredis.Nil) {
		return nil, false, nil
	}
	return data, err == nil, wrap("load a session", err)
}

// CommitCtx stores a session until expiry.
func (s *Store) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	name, life := s.opts.Prefix+token, time.Until(expiry)
	if life < time.Millisecond { // which Redis would take for no expiry, or refuse
		return s.DeleteCtx(ctx, token)
	}
	return wrap("store a session", s.write(ctx, name, func(p goredis.Pipeliner) { p.Set(ctx, name, data, life) }))
}

// DeleteCtx removes a session; that there is none is no error.
func (s *Store) DeleteCtx(ctx context.Context, token string) error {
	name := s.opts.Prefix + token
	return wrap("end a session", s.write(ctx, name, func(p goredis.Pipeliner) { p.Del(ctx, name) }))
}

// write makes a change, and waits for the replicas on the same connection, for
// WAIT counts who has what was written there.
func (s *Store) write(ctx context.Context, name string, change func(goredis.Pipeliner)) error {
	node, err := s.node(ctx, name)
	if err != nil {
		return err
	}
	pipe := node.Pipeline()
	change(pipe)
	if s.opts.Replicas <= 0 {
		_, err = pipe.Exec(ctx)
		return err
	}
	acknowledged := pipe.Do(ctx, "wait", s.opts.Replicas, s.opts.Wait.Milliseconds())
	if _, err := pipe.Exec(ctx); err != nil {
		return err
	}
	if n, err := acknowledged.Int(); err != nil || n < s.opts.Replicas {
		return errors.Join(err, fmt.Errorf("%w (%d of %d)", ErrReplicas, n, s.opts.Replicas))
	}
	return nil
}

// node is where commands about a key go.
func (s *Store) node(ctx context.Context, name string) (goredis.UniversalClient, error) {
	if cluster, ok := s.client.(*goredis.ClusterClient); ok {
		return cluster.MasterForKey(ctx, name)
	}
	return s.client, nil
}

// Rows yields the data of all sessions, each once, and has some 1,000 of them in
// memory at a time. What begins or ends meanwhile may be among them or not. An
// error is the last that comes.
func (s *Store) Rows(ctx context.Context) iter.Seq2[web.StoredData, error] {
	return func(yield func(web.StoredData, error) bool) {
		for r, err := range s.rows(ctx) {
			if !yield(web.StoredData{ID: r.token, Data: []byte(r.data)}, wrap("list sessions", err)) {
				return
			}
		}
	}
}

// AllCtx returns the data of all sessions, by token. For many, see [Store.Rows]
// and [Sessions.All].
func (s *Store) AllCtx(ctx context.Context) (map[string][]byte, error) {
	all := map[string][]byte{}
	for row, err := range s.rows(ctx) {
		if err != nil {
			return nil, wrap("list sessions", err)
		}
		all[row.token] = []byte(row.data)
	}
	return all, nil
}

// All is [Store.AllCtx] without a context.
func (s *Store) All() (map[string][]byte, error) { return s.AllCtx(context.Background()) }

// Find is [Store.FindCtx] without a context.
func (s *Store) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit is [Store.CommitCtx] without a context.
func (s *Store) Commit(token string, data []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, data, expiry)
}

// Delete is [Store.DeleteCtx] without a context.
func (s *Store) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }

// wrap says what was attempted; the names of sessions are secret and not said.
func wrap(what string, err error) error {
	return backend.Wrap(what, "redis", backend.ErrUnavailable, err)
}
