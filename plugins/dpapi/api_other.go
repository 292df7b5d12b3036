//go:build !windows

package dpapi

// Only Windows has the API: Open refuses elsewhere, before either is called.
var (
	protect   func(data, entropy []byte, machine bool) ([]byte, error)
	unprotect func(sealed, entropy []byte) ([]byte, error)
)
