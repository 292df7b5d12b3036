package atomicfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"

	"github.com/msalext/msalext/extensions/backend"
)

// VersionOf is the version of content, None for no content: the SHA-256, in hex,
// of the SHA-256s of its pieces. Where content is cut shows in the content, so
// that one which differs in little has mostly the same pieces, whose hashes are
// known.
func VersionOf(data []byte) backend.Version {
	if len(data) == 0 {
		return backend.None
	}
	return versionOf(piecesOf(data, nil, nil))
}

// piece is a part of content.
type piece struct {
	end int // where the next one begins
	sum [sha256.Size]byte
}

func versionOf(pieces []piece) backend.Version {
	all := sha256.New()
	for i := range pieces {
		all.Write(pieces[i].sum[:])
	}
	return backend.Version(hex.EncodeToString(all.Sum(nil)))
}

// A piece ends with an object of JSON, so that what comes behind a change is cut
// as before. Content of another kind is cut by length.
const (
	pieceLeast = 4 << 10
	pieceMost  = 4 * pieceLeast
)

// pieceOf returns the first piece of data.
func pieceOf(data []byte) []byte {
	if len(data) <= pieceLeast {
		return data
	}
	most := data[:min(pieceMost, len(data))]
	if i := bytes.IndexByte(most[pieceLeast:], '}'); i >= 0 {
		return most[:pieceLeast+i+1]
	}
	return most
}

// resyncing is how many pieces a change may have taken away, for those behind
// it to be found again.
const resyncing = 8

// piecesOf cuts data, and takes the hashes of pieces that were there before, in
// the same order.
func piecesOf(data, before []byte, known []piece) []piece {
	pieces := make([]piece, 0, len(data)/pieceLeast+1)
	next, at := 0, 0 // of known, and where that begins
	for start := 0; start < len(data); {
		this := pieceOf(data[start:])
		start += len(this)
		i, end := find(this, before, at, known[next:min(next+resyncing, len(known))])
		if i < 0 {
			pieces = append(pieces, piece{start, sha256.Sum256(this)})
			continue
		}
		pieces = append(pieces, piece{start, known[next+i].sum})
		next, at = next+i+1, end
	}
	return pieces
}

// find returns which of the known pieces, the first of which begins at a place
// in before, this one is, and where that ends; -1: none.
func find(this, before []byte, at int, known []piece) (i, end int) {
	for i, k := range known {
		if bytes.Equal(this, before[at:k.end]) {
			return i, k.end
		}
		at = k.end
	}
	return -1, 0
}
