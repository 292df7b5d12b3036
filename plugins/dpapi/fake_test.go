//go:build !windows

package dpapi

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"os"
	"syscall"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
)

// Where there is no DPAPI, one that behaves as documented: a random part, so
// that equal data is never encrypted alike, and a checksum over data and
// entropy.
func init() {
	protect = func(data, entropy []byte, machine bool) ([]byte, error) {
		scope := byte('u')
		if machine {
			scope = 'm'
		}
		blob := make([]byte, 16, 17+sha256.Size+len(data))
		_, _ = rand.Read(blob)
		sum := sha256.Sum256(append(bytes.Clone(entropy), data...))
		return append(append(append(blob, scope), sum[:]...), mask(blob[:16], data)...), nil
	}
	unprotect = func(sealed, entropy []byte) ([]byte, error) {
		if len(sealed) < 17+sha256.Size {
			return nil, syscall.Errno(13)
		}
		data := mask(sealed[:16], sealed[17+sha256.Size:])
		if sum := sha256.Sum256(append(bytes.Clone(entropy), data...)); !bytes.Equal(sum[:], sealed[17:17+sha256.Size]) {
			return nil, syscall.Errno(13)
		}
		return data, nil
	}
}

func mask(with, data []byte) []byte {
	masked := bytes.Clone(data)
	for i := range masked {
		masked[i] ^= with[i%len(with)]
	}
	return masked
}

// savesForMachine tells for whom the store encrypts what it saves.
func savesForMachine(t *testing.T, s backend.Store) bool {
	t.Helper()
	if _, err := s.Save(t.Context(), "", cache, backend.None); err != nil {
		t.Fatal(err)
	}
	sealed, err := os.ReadFile(s.Info().Location)
	if err != nil {
		t.Fatal(err)
	}
	return sealed[16] == 'm'
}
