package persist

import (
	"context"
	"errors"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/tokencache"
	"github.com/msalext/msalext/internal/ownedfile"
)

// quarantineAfter is how long damage must stay as it is before it is moved: a
// peer that writes in place and takes no lock has written on by then.
const quarantineAfter = time.Second

// Quarantine moves the item aside if the store can't read it (ErrCorrupt,
// ErrDecrypt), so that another can be saved in its place. Nothing is deleted or
// overwritten, and the record of the backend stays. It returns where the item
// is now, and "" and no error when the item can be read or isn't stored.
//
// A key that is missing may come back, and with it the item: so nothing calls
// this by itself. Restore brings an item back.
//
// A file that the store keeps for the item alone is renamed, to its own name
// with ".corrupt-" and the time in UTC behind it, mode 0600. Of other stores
// nobody gets what they can't read: the error is theirs, and the item stays.
// ErrCorrupt is also the answer when somebody is writing the item: call again.
func (p *Persistence) Quarantine(ctx context.Context) (movedTo string, err error) {
	return p.quarantine(ctx, func(_ []byte, err error) (damage error, _ []byte, other error) {
		if errors.Is(err, backend.ErrCorrupt) || errors.Is(err, backend.ErrDecrypt) {
			return err, nil, nil
		}
		return nil, nil, err
	})
}

// Quarantine moves what is stored aside if it isn't a token cache, or if the
// store says that it is damaged, and the next View is empty; of a whole cache
// with bytes behind it a copy without them stays. Nothing is deleted or
// overwritten, and the record of the backend stays. It returns where the bytes
// are now, and "" and no error when the cache can be read or isn't stored.
//
// Where each item is a file of its own that is the file's new path, the old
// with ".corrupt-" and the time in UTC behind it, mode 0600. Other stores keep
// the bytes under another key, protected as before, and the answer is that key:
// Persistence.Key finds them. What such a store itself can't read stays where
// it is, and the error is ErrCorrupt; so it is when somebody is writing just
// now.
//
// What can't be decrypted is left alone, with ErrDecrypt, since the key may
// come back; see Persistence.Quarantine.
func (c *PersistedTokenCache) Quarantine(ctx context.Context) (movedTo string, err error) {
	return c.p.quarantine(ctx, func(data []byte, err error) (damage error, whole []byte, other error) {
		switch {
		case errors.Is(err, backend.ErrCorrupt):
			return err, nil, nil
		case err != nil:
			return nil, nil, err
		}
		whole, rest, err := tokencache.Leading(data)
		switch {
		case err != nil:
			return c.damaged(err), nil, nil
		case len(rest) > 0:
			return c.damaged(errors.New("bytes follow the cache")), whole, nil
		}
		return nil, nil, nil
	})
}

// mends moves a damaged cache aside where the application asked for that, and
// tells whether what failed with err is worth another try.
func (c *PersistedTokenCache) mends(ctx context.Context, err error) bool {
	if err == nil || !c.quarantine || !errors.Is(err, backend.ErrCorrupt) {
		return false
	}
	s := c.p.now()
	movedTo, err := c.Quarantine(ctx)
	switch {
	case err != nil:
		s.log.Warn("msalext: the token cache is damaged and could not be moved aside", "backend", s.name, "error", err)
	case movedTo != "":
		s.log.Warn("msalext: the token cache was damaged; it was moved aside, and people may have to sign in again", "backend", s.name, "moved", movedTo)
	}
	return err == nil
}

// damaged is an item that can't be read.
type damaged struct {
	why   error           // nil: it can be read, or isn't stored
	whole []byte          // what of it can be read, to be stored in its place; empty: nothing
	blob  backend.Blob    // as far as the store gave it
	stamp ownedfile.Stamp // of its file, where it has one
}

func (d damaged) same(e damaged) bool { return d.blob.Version == e.blob.Version && d.stamp == e.stamp }

// judge divides the result of a load into damage and other errors; neither: it
// can be read. whole is the part of damaged data that can.
type judge func(data []byte, err error) (damage error, whole []byte, other error)

func (p *Persistence) quarantine(ctx context.Context, judge judge) (movedTo string, err error) {
	s, err := p.join(ctx)
	if err != nil {
		return "", err
	}
	before, err := s.inspect(ctx, p.key, judge)
	if err != nil || before.why == nil {
		return "", err
	}
	if _, can := s.store.(setter); !can && before.blob.Data == nil && s.info.Stamp != backend.StampData {
		return "", &backend.Error{Op: "quarantine", Backend: s.name, Kind: backend.KindOf(before.why), Err: before.why,
			Hint: "the store doesn't give out what it can't read; use its own tools"}
	}
	select {
	case <-time.After(quarantineAfter):
	case <-ctx.Done():
		return "", s.fail("quarantine", context.Cause(ctx))
	}
	err = s.exclusively(ctx, "quarantine", p.key, func(ctx context.Context, publish func() error) error {
		now, err := s.inspect(ctx, p.key, judge)
		if err != nil || now.why == nil {
			return err
		}
		if !now.same(before) {
			return &backend.Error{Op: "quarantine", Backend: s.name, Kind: backend.ErrCorrupt,
				Err: errors.New("somebody is writing it"), Hint: "try again"}
		}
		if err := publish(); err != nil {
			return err
		}
		if len(now.whole) > 0 {
			movedTo, err = s.replaceByWhole(ctx, p.key, now)
		} else {
			movedTo, err = s.moveAside(ctx, p.key, now)
		}
		return err
	})
	return movedTo, err
}

// inspect looks whether an item can be read. A damaged record is another
// matter, though its error has the same kind.
func (s *shared) inspect(ctx context.Context, key string, judge judge) (d damaged, err error) {
	if err := s.checkLocation(); err != nil {
		return d, err
	}
	d.blob, err = s.load(ctx, key, backend.None)
	if errors.Is(err, backend.ErrNotFound) {
		return damaged{}, nil
	}
	if d.why, d.whole, err = judge(d.blob.Data, err); d.why == nil || s.info.Stamp != backend.StampData {
		return d, err
	}
	d.stamp, err = ownedfile.Stat(s.path(key)) // after the load, which may make the file private
	return d, err
}
