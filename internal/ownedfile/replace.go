package ownedfile

import (
	"context"
	"os"
)

// Publish puts a file of [CreateTemp], written and synced, in the place of the
// one at path, in one step, and closes it; after an error the caller removes
// it. Where open files of others hold it up (Windows), it is tried again until
// ctx ends, without a deadline for 30 seconds; then ErrUnavailable. The caller
// makes it durable with [Dir.Sync].
func Publish(ctx context.Context, f *os.File, path string) error {
	return Wrap("write", publish(ctx, f, path))
}

// GiveWay waits a moment, at most 20 ms, while somebody has the lock of a
// directory ([LockDir]), where readers' open files hold up what that writer is
// about (Windows): under a steady stream of readers it would starve. Readers
// call it before they open a file of the directory.
func GiveWay(dir string) { giveWay(dir) }

// Remove removes a file, as patiently as [Publish]. ErrNotFound: there is none.
func Remove(ctx context.Context, path string) error {
	return Wrap("remove", persist(ctx, func() error { return remove(path) }))
}
