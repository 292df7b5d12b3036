package persist

import (
	"context"

	"github.com/msalext/msalext/internal/record"
)

// The record beside the cache tells which backend keeps it, so that no process
// reads or writes with another one. A store that compares and swaps by itself
// has no files of ours beside it, and is its own record.

// checkLocation refuses when another backend keeps this location's items.
func (s *shared) checkLocation() error {
	if s.cas() {
		return nil
	}
	was, err := record.Read(s.config.Path)
	if err == nil {
		err = was.Admits(s.config.Path, s.record())
	}
	return s.fail("open", err)
}

// claimLocation is checkLocation for a writer: where nothing is recorded, it
// records this backend.
func (s *shared) claimLocation(ctx context.Context) error {
	if s.cas() {
		return nil
	}
	return s.fail("open", record.Claim(ctx, s.config.Path, s.record()))
}
