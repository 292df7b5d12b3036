package wire

import (
	"context"

	"github.com/msalext/msalext/extensions/backend"
	pb "github.com/msalext/msalext/internal/wire/persistencepb"
)

// on runs one call of an open store.
func (s server) on(op string, store uint64, fn func(*served) error) error {
	return s.service.call(op, func() error {
		e, err := s.service.find(store)
		if err != nil {
			return err
		}
		return fn(e)
	})
}

func (s server) Load(ctx context.Context, req *pb.LoadRequest) (*pb.LoadResponse, error) {
	resp := &pb.LoadResponse{}
	err := s.on("load", req.GetStore(), func(e *served) error {
		blob, err := e.store.Load(ctx, string(req.GetKey()), backend.Version(req.GetHave()))
		resp.Data, resp.Version, resp.Unchanged = blob.Data, []byte(blob.Version), blob.Unchanged
		return err
	})
	return resp, err
}

func (s server) Save(ctx context.Context, req *pb.SaveRequest) (*pb.SaveResponse, error) {
	resp := &pb.SaveResponse{}
	err := s.on("save", req.GetStore(), func(e *served) error {
		v, err := e.store.Save(ctx, string(req.GetKey()), req.GetData(), backend.Version(req.GetBase()))
		resp.Version = []byte(v)
		return err
	})
	return resp, err
}

func (s server) Delete(ctx context.Context, req *pb.DeleteRequest) (*pb.DeleteResponse, error) {
	err := s.on("delete", req.GetStore(), func(e *served) error {
		return e.store.Delete(ctx, string(req.GetKey()), backend.Version(req.GetBase()))
	})
	return &pb.DeleteResponse{}, err
}

func (s server) Unlock(ctx context.Context, req *pb.UnlockRequest) (*pb.UnlockResponse, error) {
	err := s.on("unlock", req.GetStore(), func(e *served) error {
		u, err := power[backend.Unlocker](e, backend.CanUnlock)
		if err != nil {
			return err
		}
		return u.Unlock(ctx)
	})
	return &pb.UnlockResponse{}, err
}

func (s server) Expire(ctx context.Context, req *pb.ExpireRequest) (*pb.ExpireResponse, error) {
	err := s.on("expire", req.GetStore(), func(e *served) error {
		x, err := power[backend.Expirer](e, backend.CanExpire)
		if err != nil {
			return err
		}
		return x.Expire(ctx, string(req.GetKey()), ttlOf(req.GetTtlMilliseconds()))
	})
	return &pb.ExpireResponse{}, err
}

func (s server) Check(ctx context.Context, req *pb.CheckRequest) (*pb.CheckResponse, error) {
	err := s.on("check", req.GetStore(), func(e *served) error {
		c, err := power[backend.Checker](e, backend.CanCheck)
		if err != nil {
			return err
		}
		return c.Check(ctx)
	})
	return &pb.CheckResponse{}, err
}
