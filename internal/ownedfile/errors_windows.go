package ownedfile

import (
	"golang.org/x/sys/windows"

	"github.com/msalext/msalext/extensions/backend"
)

var errnoKinds = []errnoKind{
	{windows.ERROR_DISK_FULL, backend.ErrUnavailable, hintSpace},
	{windows.ERROR_HANDLE_DISK_FULL, backend.ErrUnavailable, hintSpace},
	{windows.ERROR_WRITE_PROTECT, backend.ErrDenied, hintReadOnly},
	{windows.ERROR_INVALID_NAME, backend.ErrInvalid, hintPath},
	{windows.ERROR_DIRECTORY, backend.ErrInvalid, hintPath},
	{windows.ERROR_FILENAME_EXCED_RANGE, backend.ErrInvalid, hintPath + ": it is too long"},
	{windows.ERROR_SHARING_VIOLATION, backend.ErrUnavailable, "another program has the file open; try again when it is done"},
}
