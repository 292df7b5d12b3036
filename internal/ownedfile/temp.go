package ownedfile

import (
	"crypto/rand"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// tempMark makes temporary files of ours recognisable. PathFor never yields a
// name with it, since it writes "." in keys as "%2e".
const tempMark = ".msalext-tmp-"

var tempName = regexp.MustCompile(regexp.QuoteMeta(tempMark) + `[0-9a-f]{16}$`)

// CreateTemp creates a new, empty file for reading and writing beside path, on
// the same file system, so that it can be renamed to path. Its mode is 0600.
// While it is open it can be told from one whose writer died, where the file
// system has locks. Errors are as from [Open].
func CreateTemp(path string) (*os.File, error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	for {
		var random [8]byte
		_, _ = rand.Read(random[:]) // never fails: https://pkg.go.dev/crypto/rand#Read
		f, err := Open(path+tempMark+hex.EncodeToString(random[:]), os.O_RDWR|os.O_CREATE|os.O_EXCL)
		if err != nil {
			return nil, err
		}
		if claim(f.File) {
			return f.File, nil
		}
		_ = f.Close() // taken for a dead writer's before it was locked
	}
}

// RemoveStaleTemps removes the files in dir that CreateTemp made and whose
// writers died: nobody has them open, or, where that doesn't show (Windows,
// file systems without locks), nobody has written them for the given time.
// Other files are left alone. It does what it can and reports nothing, since
// nothing depends on it.
func RemoveStaleTemps(dir string, age time.Duration) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.Type().IsRegular() && tempName.MatchString(e.Name()) {
			removeStale(filepath.Join(dir, e.Name()), age)
		}
	}
}

func removeStale(path string, age time.Duration) {
	f, err := OpenAnyMode(path, os.O_RDWR)
	if err != nil {
		return
	}
	defer f.Close() // not before it is removed: until then nobody can claim it
	dead, known := abandoned(f.File)
	if !known {
		fi, err := f.Stat()
		dead = err == nil && time.Since(fi.ModTime()) > age
	}
	if dead {
		_ = os.Remove(path) // the name is never used again, so it is still that file, or none
	}
}
