package ownedfile

import (
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

func lstat(path string) (Stamp, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return Stamp{}, err
	}
	// Access to attributes only is exempt from sharing, so this also works on
	// a file that somebody holds exclusively.
	h, err := windows.CreateFile(name, windows.FILE_READ_ATTRIBUTES, shareAll, nil, windows.OPEN_EXISTING,
		windows.FILE_FLAG_OPEN_REPARSE_POINT|windows.FILE_FLAG_BACKUP_SEMANTICS, 0)
	if err != nil {
		return Stamp{}, err
	}
	defer windows.CloseHandle(h)
	return stampOf(h)
}

func fstat(f *os.File) (Stamp, error) { return stampOf(windows.Handle(f.Fd())) }

// basicInfo is FILE_BASIC_INFO; times count 100 ns since 1601.
type basicInfo struct {
	created, accessed, written, changed int64
	attributes                          uint32
	_                                   uint32
}

func stampOf(h windows.Handle) (Stamp, error) {
	var id windows.ByHandleFileInformation
	if err := windows.GetFileInformationByHandle(h, &id); err != nil {
		return Stamp{}, err
	}
	var basic basicInfo
	err := windows.GetFileInformationByHandleEx(h, windows.FileBasicInfo, (*byte)(unsafe.Pointer(&basic)), uint32(unsafe.Sizeof(basic)))
	if err != nil {
		return Stamp{}, err
	}
	return Stamp{
		Dev: uint64(id.VolumeSerialNumber), Ino: join(id.FileIndexHigh, id.FileIndexLow),
		Size:  int64(join(id.FileSizeHigh, id.FileSizeLow)),
		Mtime: unixNano(basic.written), Ctime: unixNano(basic.changed),
	}, nil
}

func join(high, low uint32) uint64 { return uint64(high)<<32 | uint64(low) }

func unixNano(fileTime int64) int64 {
	const from1601 = 116444736000000000
	return (fileTime - from1601) * int64(100*time.Nanosecond)
}
