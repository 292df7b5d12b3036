package atomicfile

import (
	"bytes"
	"io"
	"os"
	"slices"
	"sync"

	"github.com/msalext/msalext/extensions/backend"
)

// What was read or written last is kept, so that what a file holds now can be
// compared with it, and of other content only what differs is hashed. That takes
// a fraction of the time of hashing all, and is as exact: nothing rests on the
// file's times, which a peer that writes in place within one tick of the clock,
// or sets them back, leaves as they were.

const (
	// worthKeeping: less is hashed as quickly.
	worthKeeping = 4 << 10
	// keptMost bounds the memory for all files together, which is 10,000
	// entries. Of a server with a cache for each of its users it keeps few, and
	// hashes the others.
	keptMost = 16 << 20
)

// content that a file had lately.
type known struct {
	path    string
	data    []byte
	pieces  []piece // of data
	version backend.Version
}

// lately is what is known, the latest last. Who uses one takes it out, so that
// its memory can be used again without holding up the others.
var lately struct {
	sync.Mutex
	kept []known
}

// takeKnown returns what is known of a file, which the caller keeps again. The
// zero value: nothing.
func takeKnown(path string) known {
	lately.Lock()
	defer lately.Unlock()
	i := slices.IndexFunc(lately.kept, func(k known) bool { return k.path == path })
	if i < 0 {
		return known{path: path}
	}
	k := lately.kept[i]
	lately.kept = slices.Delete(lately.kept, i, i+1)
	return k
}

// keep makes k what is known of its file. Where that is too much, what was not
// used for longest is forgotten.
func (k known) keep() {
	if len(k.data) == 0 {
		return
	}
	lately.Lock()
	defer lately.Unlock()
	kept := slices.DeleteFunc(lately.kept, func(o known) bool { return o.path == k.path })
	kept = append(kept, k)
	total := 0
	for _, o := range kept {
		total += cap(o.data)
	}
	for ; total > keptMost; kept = slices.Delete(kept, 0, 1) {
		total -= cap(kept[0].data)
	}
	lately.kept = kept
}

// learn returns the version of data, which the file has now, and k for it: a
// copy in memory that k has, where there is enough.
func (k known) learn(data []byte) (backend.Version, known) {
	if len(data) < worthKeeping || len(data) > keptMost {
		return VersionOf(data), known{path: k.path}
	}
	if bytes.Equal(k.data, data) {
		return k.version, k
	}
	pieces := piecesOf(data, k.data, k.pieces)
	if n := len(data); n > cap(k.data) || n < cap(k.data)/4 {
		k.data = make([]byte, 0, min(n+n/16, keptMost)) // the next content is mostly a little longer
	}
	k = known{k.path, append(k.data[:0], data...), pieces, versionOf(pieces)}
	return k.version, k
}

// comparing is how much of a file is read at a time to compare it: what fits
// into the processor's cache.
const comparing = 64 << 10

var pieces = sync.Pool{New: func() any { return new([comparing]byte) }}

// heldBy tells whether a file that is open holds k's data and nothing more. What
// can't be read is reported by whoever reads it then.
func (k known) heldBy(f *os.File) bool {
	piece, _ := pieces.Get().(*[comparing]byte)
	defer pieces.Put(piece)
	for at := 0; ; {
		n, err := f.ReadAt(piece[:], int64(at))
		if n > len(k.data)-at || !bytes.Equal(piece[:n], k.data[at:at+n]) {
			return false
		}
		if at += n; err != nil {
			return err == io.EOF && at == len(k.data)
		}
	}
}
