package ownedfile

import "context"

// Rename replaces the file at to by the one at from, in one step. Where open
// files of others hold it up (Windows), it is tried again until ctx ends,
// without a deadline for 30 seconds; then ErrUnavailable. The caller makes it
// durable with [Dir.Sync].
func Rename(ctx context.Context, from, to string) error {
	return Wrap("write", persist(ctx, func() error { return rename(from, to) }))
}

// Remove removes a file, as patiently as [Rename]. ErrNotFound: there is none.
func Remove(ctx context.Context, path string) error {
	return Wrap("remove", persist(ctx, func() error { return remove(path) }))
}
