//go:build !linux

package persist

// renameExclusively never replaces a file: then it fails with fs.ErrExist.
func renameExclusively(from, to string) error { return renameByClaim(from, to) }
