package backend

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// maxKeyName keeps a key's file name, with the suffixes that lock and
// temporary files add, well under the 255 bytes that file systems allow.
const maxKeyName = 128

const hexDigits = "0123456789abcdef"

// PathFor tells where the file of a key lies, for host and backends alike:
// the data of a StampData store, the signal file of a StampSignal store, and,
// with a suffix, lock and temporary files.
//
// The key "" has path itself, as the peers' caches do. Any other key has
// path + ".key-" + its name, in which all but a-z, 0-9, "-" and "_" is written
// "%xx", so that no two keys meet on a file system that ignores case and no
// key looks like a lock file. A key whose name would exceed 128 bytes is
// written "%h" and its SHA-256 in hex; package atomicfile keeps it beside that
// file, in one with the suffix ".name", so that it can be listed.
func PathFor(path, key string) string {
	if key == "" {
		return path
	}
	var b strings.Builder
	for _, c := range []byte(key) {
		if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_' {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
		}
	}
	name := b.String()
	if len(name) > maxKeyName {
		sum := sha256.Sum256([]byte(key))
		name = "%h" + hex.EncodeToString(sum[:])
	}
	return path + ".key-" + name
}
