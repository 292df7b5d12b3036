package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	goredis "github.com/redis/go-redis/v9"

	"github.com/msalext/msalext/extensions/backend"
)

// maxBytes is the largest string that Redis keeps.
const maxBytes = 512 << 20

// store is the items of one prefix.
type store struct {
	place  place
	limits limits
	client client
	bytes  int64 // the largest item

	life context.Context // ends with Close
	end  context.CancelFunc

	changes  *changes
	doubts   doubts
	unheard  sync.Once // the warning that nobody hears of changes
	closeErr error
	once     sync.Once
}

var (
	_ backend.Store   = (*store)(nil)
	_ backend.Watcher = (*store)(nil)
	_ backend.Lister  = (*store)(nil)
	_ backend.Expirer = (*store)(nil)
)

func newStore(at place, l limits) *store {
	s := &store{place: at, limits: l, client: connect(at), bytes: maxBytes}
	s.life, s.end = context.WithCancel(context.Background())
	s.changes = &changes{client: s.client, beat: l.beat}
	return s
}

func (s *store) Info() backend.Info {
	kind, way := "Redis at", ""
	switch {
	case s.place.master != "":
		kind = fmt.Sprintf("Redis, the master %q of Sentinel at", s.place.master)
	case s.place.cluster:
		kind = "Redis Cluster at"
	}
	if s.place.tls != nil {
		way = ", by TLS"
	}
	return backend.Info{
		Against:  "whoever can't sign in to the Redis server; not against whoever reads its memory, its files, its replicas or their backups",
		Location: fmt.Sprintf("%s %s%s, database %d, keys %q", kind, strings.Join(s.place.addresses, ", "), way, s.place.db, s.place.names.of("")+"*"),
		MaxBytes: s.bytes,
		Caps:     backend.CanWatch | backend.CanList | backend.CanExpire | backend.CanCAS,
	}
}

func (s *store) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	if err := s.doubts.about(key); err != nil {
		return backend.Blob{}, fail("load", err)
	}
	blob, err := in(ctx, s, s.limits.answer, func(ctx context.Context) (backend.Blob, error) {
		a, err := s.eval(ctx, loadScript, key, string(have), s.place.ttl.Milliseconds())
		if err != nil {
			return backend.Blob{}, err
		}
		return loaded(a, have)
	})
	return blob, fail("load", err)
}

func loaded(a answer, have backend.Version) (backend.Blob, error) {
	status, err := a.status()
	switch {
	case err != nil:
		return backend.Blob{}, err
	case status == unchanged:
		return backend.Blob{Version: have, Unchanged: true}, nil
	}
	version, err1 := a.text(1)
	data, err2 := a.text(2)
	return backend.Blob{Data: []byte(data), Version: backend.Version(version)}, errors.Join(err1, err2)
}

func (s *store) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	if err := s.takes(data); err != nil {
		return backend.None, fail("save", err)
	}
	version := rand.Text()
	data = slices.Clone(data) // what is sent may outlast a caller who gives up
	err := s.change(ctx, key, func(*tried) (*goredis.Script, []any) {
		return saveScript, []any{string(base), version, data, s.place.ttl.Milliseconds()}
	})
	if err != nil {
		return backend.None, fail("save", err)
	}
	return backend.Version(version), nil
}

func (s *store) takes(data []byte) error {
	switch {
	case len(data) == 0:
		return &backend.Error{Kind: backend.ErrInvalid, Err: errors.New("no data"), Hint: "to remove an item, delete it"}
	case int64(len(data)) > s.bytes:
		return &backend.Error{
			Kind: backend.ErrTooLarge, Err: fmt.Errorf("%d bytes, at most %d", len(data), s.bytes),
			Hint: "keep fewer accounts in one cache: a key per user; the server's proto-max-bulk-len may be set lower than usual",
		}
	}
	return nil
}

func (s *store) Delete(ctx context.Context, key string, base backend.Version) error {
	return fail("delete", s.change(ctx, key, func(before *tried) (*goredis.Script, []any) {
		again := ""
		if before.perhaps() {
			again = "again"
		}
		return deleteScript, []any{string(base), again}
	}))
}

// Close ends watches and calls under way.
func (s *store) Close() error {
	s.once.Do(func() {
		s.end()
		s.closeErr = fail("close", s.client.Close())
	})
	return s.closeErr
}

func (s *store) usable(ctx context.Context) error {
	if s.life.Err() != nil {
		return backend.ErrClosed
	}
	return ctx.Err()
}
