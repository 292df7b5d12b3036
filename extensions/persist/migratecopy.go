package persist

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/msalext/msalext/extensions/backend"
)

// peek reads an item without regard to the record, which names one backend
// while two are used.
func (s *shared) peek(ctx context.Context, key string) (backend.Blob, bool, error) {
	blob, err := bounded(ctx, s, "load", func(ctx context.Context) (backend.Blob, error) {
		return s.store.Load(ctx, key, backend.None)
	})
	if errors.Is(err, backend.ErrNotFound) {
		return backend.Blob{}, false, nil
	}
	return blob, err == nil, err
}

// pair is an item as both stores hold it.
type pair struct{ from, to backend.Blob }

// weigh reads an item from both stores and says what the target has to hold;
// found tells whether the source holds it.
func (m *migration) weigh(ctx context.Context, key string) (p pair, result []byte, found bool, err error) {
	if p.from, found, err = m.from.peek(ctx, key); err != nil || !found {
		return p, nil, false, err
	}
	p.to, _, err = m.to.peek(ctx, m.target(key))
	if err != nil {
		return p, nil, true, err
	}
	result, err = m.unite(key, p)
	return p, result, true, err
}

func (m *migration) unite(key string, p pair) ([]byte, error) {
	ours, theirs := p.from.Data, p.to.Data
	if len(theirs) == 0 || bytes.Equal(ours, theirs) {
		return ours, nil
	}
	base, again := m.copied[key]
	switch {
	case !again:
		return union(theirs, ours)
	case bytes.Equal(base, ours):
		return theirs, nil
	case bytes.Equal(base, theirs):
		return ours, nil
	}
	return follow(base, ours, theirs)
}

func (m *migration) fits(data []byte) error {
	if limit := m.to.info.MaxBytes; limit > 0 && int64(len(data)) > limit {
		return m.to.tooLarge(len(data))
	}
	return nil
}

// copy brings one item over, and reads it back.
func (m *migration) copy(ctx context.Context, key string, publish func() error) error {
	p, data, found, err := m.weigh(ctx, key)
	if err != nil || !found {
		return err
	}
	if err := m.store(ctx, m.target(key), data, p.to, publish); err != nil {
		return err
	}
	m.copied[key] = p.from.Data
	return nil
}

func (m *migration) store(ctx context.Context, key string, data []byte, old backend.Blob, publish func() error) error {
	if err := publish(); err != nil {
		return err
	}
	if !bytes.Equal(data, old.Data) {
		ended := m.to.own.begin(key)
		version, err := m.to.saveOnce(ctx, key, data, old.Version)
		ended(old.Version, version, err)
		if !errors.Is(err, backend.ErrConflict) {
			m.to.signal(key)
			m.to.sign(key)
		}
		if err != nil && !unanswered(err) { // else reading it back tells
			return err
		}
		return m.readBack(ctx, key, data, version, err)
	}
	return nil
}

// readBack compares a copy with what was saved. Without a lock, others may have
// written since.
func (m *migration) readBack(ctx context.Context, key string, data []byte, saved backend.Version, failure error) error {
	now, _, err := m.to.peek(ctx, key)
	switch {
	case err != nil || bytes.Equal(now.Data, data):
		return err
	case failure != nil:
		return failure
	case now.Version != saved:
		return &backend.Error{Op: "migrate", Backend: m.to.name, Kind: backend.ErrConflict,
			Err: fmt.Errorf("somebody else wrote %q", key), Hint: hintConflict}
	}
	return &backend.Error{Op: "migrate", Backend: m.to.name, Kind: backend.ErrCorrupt,
		Err: fmt.Errorf("the copy of %q came back changed", key), Hint: "the source is unchanged; choose another target"}
}

// settle brings over what changed since the copy, and deletes the item at the
// source where that is asked for.
func (m *migration) settle(ctx context.Context, key string, publish func() error) error {
	p, data, found, err := m.weigh(ctx, key)
	if !found && m.stays(key, err) {
		return nil
	}
	if err != nil || !found { // deleted there; the copy stays, since another Migrate may have deleted it
		return err
	}
	if err := m.store(ctx, m.target(key), data, p.to, publish); err != nil {
		return err
	}
	m.copied[key] = p.from.Data
	if !m.opts.DeleteSource {
		return nil
	}
	if err := publish(); err != nil { // the copy may have taken long
		return err
	}
	return m.from.drop(ctx, key, p.from.Version, m.to, m.target(key))
}

// drop deletes an item that has a version, and tells those who look at its
// signal file, or at the other store's where that lies at the same place.
func (s *shared) drop(ctx context.Context, key string, version backend.Version, other *shared, otherKey string) error {
	s.forgetHistory(ctx, key)
	ended := s.own.begin(key)
	_, err := bounded(ctx, s, "delete", func(ctx context.Context) (struct{}, error) {
		return struct{}{}, s.store.Delete(ctx, key, version)
	})
	ended(version, backend.None, err)
	if s.path(key) == other.path(otherKey) {
		other.signal(otherKey) // a file of the source's may have been the signal
	} else {
		s.signal(key)
	}
	return err
}
