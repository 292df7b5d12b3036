package msal

import (
	"context"
	"maps"
	"slices"
)

// written notes whether a partition has what isn't stored, after MSAL wrote to
// it. Where the store took everything, it may take what waits elsewhere, too.
func (all *pool) written(part *partition) {
	all.mu.Lock()
	defer all.mu.Unlock()
	// Looked at with all.mu held, so that the last look counts.
	if part.cache.Unsaved() > 0 {
		all.unsaved[part] = struct{}{}
		return
	}
	delete(all.unsaved, part)
	if len(all.unsaved) == 0 || all.flushing != nil || all.life.Err() != nil {
		return
	}
	ended := make(chan struct{})
	all.flushing = ended
	go func() {
		all.flush()
		all.mu.Lock()
		defer all.mu.Unlock()
		all.flushing = nil
		close(ended)
	}()
}

// flush stores what waits, until the store fails again.
func (all *pool) flush() {
	for _, part := range all.waiting() {
		ctx, cancel := context.WithTimeout(all.life, exportTimeout)
		err := all.save(ctx, part)
		cancel()
		if err != nil {
			return // whoever wrote has been told, and the next write tries again
		}
	}
}

func (all *pool) waiting() []*partition {
	all.mu.Lock()
	defer all.mu.Unlock()
	return slices.Collect(maps.Keys(all.unsaved))
}

// save stores what waits in one partition.
func (all *pool) save(ctx context.Context, part *partition) error {
	err := part.cache.Close(ctx)
	all.mu.Lock()
	defer all.mu.Unlock()
	if part.cache.Unsaved() == 0 {
		delete(all.unsaved, part)
	}
	return err
}
