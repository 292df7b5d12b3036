package extensions

import "github.com/msalext/msalext/internal/record"

// Recorded returns the backend that keeps the cache at a location, as the record
// beside it says, and whether it encrypts. The name is empty where nothing is
// recorded: nothing was stored there yet, or by an application of another
// language.
//
// ErrInvalid: a wrong location. ErrCorrupt: the record can't be understood. Other
// errors are those of reading a file, such as ErrDenied.
func Recorded(location string) (backendName string, encrypted bool, err error) {
	path, err := resolve(location)
	if err != nil {
		return "", false, err
	}
	was, err := record.Read(path)
	return was.Backend, was.Encrypted, err
}
