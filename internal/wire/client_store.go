package wire

import (
	"context"
	"errors"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	pb "github.com/msalext/msalext/internal/wire/persistencepb"
)

// closeWithin bounds Close, which has no context. A plugin that doesn't answer
// by then loses the store with its process.
const closeWithin = 3 * time.Second

// store is a served store. Its number is valid for one connection.
type store struct {
	rpc    pb.PersistenceClient
	name   string
	number uint64
	info   backend.Info
	scrub  *scrubber
	seen   sightings
	life   context.Context // ends with Close
	end    context.CancelFunc
}

var (
	_ backend.Store    = (*store)(nil)
	_ backend.Watcher  = (*store)(nil)
	_ backend.Unlocker = (*store)(nil)
	_ backend.Lister   = (*store)(nil)
	_ backend.Expirer  = (*store)(nil)
	_ backend.Checker  = (*store)(nil)
)

func newStore(c *Client, scrub *scrubber, resp *pb.OpenResponse) *store {
	s := &store{rpc: c.rpc, name: c.description.Name, number: resp.GetStore(), scrub: scrub}
	s.info = infoOf(resp.GetInfo(), scrub)
	s.life, s.end = context.WithCancel(context.Background())
	return s
}

func (s *store) at(op string) origin { return origin{op, s.name, s.scrub} }

// call runs one request, unless the store is closed.
func (s *store) call(ctx context.Context, op string, fn func() error) error {
	if s.life.Err() != nil {
		return s.closed(op)
	}
	return s.at(op).decode(ctx, fn())
}

func (s *store) closed(op string) error {
	return &backend.Error{Op: op, Backend: s.name, Kind: backend.ErrClosed}
}

func (s *store) Info() backend.Info { return s.info }

func (s *store) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	var resp *pb.LoadResponse
	err := s.call(ctx, "load", func() (err error) {
		resp, err = s.rpc.Load(ctx, &pb.LoadRequest{Store: s.number, Key: []byte(key), Have: []byte(have)}, itemCall()...)
		return err
	})
	if err != nil {
		return backend.Blob{}, err
	}
	blob, err := s.at("load").blob(resp, have)
	if err == nil && !blob.Unchanged && s.seen.contradict(key, blob.Version, blob.Data) {
		return backend.Blob{}, s.at("load").broke("different data has the same version")
	}
	return blob, err
}

func (s *store) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	var resp *pb.SaveResponse
	err := s.call(ctx, "save", func() (err error) {
		resp, err = s.rpc.Save(ctx, &pb.SaveRequest{Store: s.number, Key: []byte(key), Data: data, Base: []byte(base)}, plainCall()...)
		return err
	})
	if err != nil {
		return backend.None, err
	}
	v, err := s.at("save").version(resp.GetVersion())
	if err == nil && s.seen.contradict(key, v, data) {
		return backend.None, s.at("save").broke("different data has the same version")
	}
	return v, err
}

func (s *store) Delete(ctx context.Context, key string, base backend.Version) error {
	return s.call(ctx, "delete", func() error {
		_, err := s.rpc.Delete(ctx, &pb.DeleteRequest{Store: s.number, Key: []byte(key), Base: []byte(base)}, plainCall()...)
		return err
	})
}

// Close tells the plugin. A connection that is lost has closed the store
// already.
func (s *store) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	err := s.call(ctx, "close", func() error {
		s.end()
		_, err := s.rpc.Close(ctx, &pb.CloseRequest{Store: s.number}, plainCall()...)
		return err
	})
	if errors.Is(err, ErrLost) || errors.Is(err, backend.ErrClosed) {
		return nil
	}
	return err
}

func (s *store) Unlock(ctx context.Context) error {
	return s.call(ctx, "unlock", func() error {
		_, err := s.rpc.Unlock(ctx, &pb.UnlockRequest{Store: s.number}, plainCall()...)
		return err
	})
}

func (s *store) Expire(ctx context.Context, key string, ttl time.Duration) error {
	return s.call(ctx, "expire", func() error {
		req := &pb.ExpireRequest{Store: s.number, Key: []byte(key), TtlMilliseconds: ttlMessage(ttl)}
		_, err := s.rpc.Expire(ctx, req, plainCall()...)
		return err
	})
}

func (s *store) Check(ctx context.Context) error {
	return s.call(ctx, "check", func() error {
		_, err := s.rpc.Check(ctx, &pb.CheckRequest{Store: s.number}, plainCall()...)
		return err
	})
}
