package dpapi

import "github.com/billgraziano/dpapi"

// The library never lets Windows show a dialog (CRYPTPROTECT_UI_FORBIDDEN).
var (
	protect = func(data, entropy []byte, machine bool) ([]byte, error) {
		if machine {
			return dpapi.EncryptBytesMachineLocalEntropy(data, entropy)
		}
		return dpapi.EncryptBytesEntropy(data, entropy)
	}
	unprotect = func(sealed, entropy []byte) ([]byte, error) {
		return dpapi.DecryptBytesEntropy(sealed, entropy)
	}
)
