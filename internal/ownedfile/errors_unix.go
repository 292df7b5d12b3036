//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package ownedfile

import (
	"golang.org/x/sys/unix"

	"github.com/msalext/msalext/extensions/backend"
)

var errnoKinds = []errnoKind{
	{unix.ENOSPC, backend.ErrUnavailable, hintSpace},
	{unix.EDQUOT, backend.ErrUnavailable, hintSpace},
	{unix.EIO, backend.ErrUnavailable, hintFailing},
	{unix.EFBIG, backend.ErrTooLarge, "raise the process's file size limit (ulimit -f)"},
	{unix.EROFS, backend.ErrDenied, hintReadOnly},
	{unix.ENOTDIR, backend.ErrInvalid, hintPath + ": a part of it that should be a directory is a file"},
	{unix.EISDIR, backend.ErrInvalid, hintPath + ": it is a directory"},
	{unix.ENAMETOOLONG, backend.ErrInvalid, hintPath + ": it is too long"},
	{unix.EMFILE, backend.ErrUnavailable, "raise the limit of open files (ulimit -n)"},
}
