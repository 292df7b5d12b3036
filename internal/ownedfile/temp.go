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
// Errors are as from [Open].
func CreateTemp(path string) (*os.File, error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails: https://pkg.go.dev/crypto/rand#Read
	f, err := Open(path+tempMark+hex.EncodeToString(random[:]), os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return nil, err
	}
	return f.File, nil
}

// RemoveStaleTemps removes the files in dir that CreateTemp made and nobody
// has written for the given time: their writers died. Other files are left
// alone. It does what it can and reports nothing, since nothing depends on it.
func RemoveStaleTemps(dir string, age time.Duration) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if !e.Type().IsRegular() || !tempName.MatchString(e.Name()) {
			continue
		}
		if fi, err := e.Info(); err == nil && time.Since(fi.ModTime()) > age {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}
