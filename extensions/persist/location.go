package persist

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/ownedfile"
	"github.com/msalext/msalext/internal/record"
)

// The record beside the cache tells which backend keeps it, so that no process
// reads or writes with another one.
//
// A store that compares and swaps by itself needs no file of ours, and may be
// used where none can be written: by a server in a read-only container, say. So
// it has a record where that can be kept, and works without one elsewhere.

// checkLocation refuses when another backend keeps this location's items.
func (s *shared) checkLocation() error {
	if s.unlocated() {
		return nil
	}
	certain, found := s.recorded.holds(s.config.Path)
	if certain {
		return nil
	}
	was, err := record.Read(s.config.Path)
	found(err == nil && was == s.record())
	if err == nil {
		err = was.Admits(s.config.Path, s.record())
	}
	if !s.binding(err) {
		return nil
	}
	return s.fail("open", err)
}

// claimLocation is checkLocation for a writer: where nothing is recorded, it
// records this backend.
func (s *shared) claimLocation(ctx context.Context) error {
	if s.unlocated() {
		return nil
	}
	certain, found := s.recorded.holds(s.config.Path)
	if certain {
		return nil
	}
	err := s.claim(ctx)
	found(err == nil)
	if s.binding(err) {
		return s.fail("open", err)
	}
	if err != nil {
		s.unrecorded.Do(func() {
			s.log.Warn("msalext: which backend keeps the cache could not be recorded; a later run may choose another",
				"backend", s.name, "error", err)
		})
	}
	return nil
}

func (s *shared) claim(ctx context.Context) error {
	if s.cas() { // for others the lock has created it
		if err := ownedfile.MkdirAll(filepath.Dir(s.config.Path)); err != nil {
			return err
		}
	}
	return record.Claim(ctx, s.config.Path, s.record())
}

// unlocated tells that the store was given no place for a record.
func (s *shared) unlocated() bool { return s.cas() && s.config.Path == "" }

// binding tells whether a failure to check or keep the record ends the call.
// For a store that doesn't depend on the place only what the record says does.
func (s *shared) binding(err error) bool {
	return err != nil && (!s.cas() || errors.Is(err, backend.ErrBackendChanged) || errors.Is(err, backend.ErrCorrupt))
}
