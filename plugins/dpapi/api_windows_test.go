package dpapi

import "encoding/binary"

// forMachine reads a blob's flags, which Windows and Wine keep: version (4
// bytes), provider (16), master key's version (4) and name (16), then the
// flags that CryptProtectData was called with.
func forMachine(sealed []byte) bool {
	const localMachine = 0x4
	return binary.LittleEndian.Uint32(sealed[40:])&localMachine != 0
}
