package msal

import (
	"errors"
	"fmt"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

// ErrBroker: a sign-in by the system's broker was asked for, and there is none
// for Go. errors.Is also finds [errors.ErrUnsupported] in it.
//
// Brokers are the Web Account Manager on Windows, the Company Portal on macOS
// and Microsoft's single sign-on on Linux. MSAL Python reaches them through
// MSALRuntime, a library that Microsoft publishes in binary form, and without a
// binding for Go. What they are used for has to be done without them: single
// sign-on with the system's accounts isn't possible, a policy that asks for a
// managed device is met only where the browser can prove it, and proofs of
// possession are made by [PopAuthScheme].
var ErrBroker = fmt.Errorf("brokers aren't available in Go: %w", errors.ErrUnsupported)

// WithBroker stands for MSAL Python's enable_broker_on_windows and its like for
// other systems. It never returns an option, and the error is [ErrBroker]: a program
// that needs a broker should hear of it, and one that doesn't shouldn't ask.
func WithBroker() (public.Option, error) {
	return nil, fmt.Errorf("msalext: asking for a broker: %w; sign in with the browser or a device code", ErrBroker)
}
