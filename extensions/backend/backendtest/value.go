package backendtest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"

	"github.com/msalext/msalext/extensions/backend"
)

// noise is incompressible data, the same for the same size.
func noise(size int) []byte {
	data := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{byte(size), byte(size >> 8), byte(size >> 16)}).Read(data)
	return data
}

// value is data that tells its own number and length, so that a part of one,
// or a mixture of two, shows. It has size bytes and some more.
func value(n, size int) []byte {
	head := fmt.Appendf(nil, "%d,%d;", n, size)
	sum := sha256.Sum256(head)
	return append(head, bytes.Repeat(sum[:], size/len(sum)+1)...)
}

// numberIn returns the number of a value that is whole.
func numberIn(data []byte) (n int, whole bool) {
	var size int
	if _, err := fmt.Sscanf(string(data[:min(len(data), 40)]), "%d,%d;", &n, &size); err != nil || size > len(data) {
		return 0, false
	}
	return n, bytes.Equal(data, value(n, size))
}

// fitting is size, or what a store takes if that is less.
func fitting(s backend.Store, size int) int {
	const head = 80 // what value adds at most
	if limit := s.Info().MaxBytes; limit > 0 {
		return int(max(0, min(int64(size), limit-head)))
	}
	return size
}
