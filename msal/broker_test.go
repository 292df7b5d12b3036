package msal_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/msalext/msalext/msal"
)

func TestWithBroker(t *testing.T) {
	t.Parallel()
	t.Run("S4 there is none", func(t *testing.T) {
		option, err := msal.WithBroker()
		if option != nil || !errors.Is(err, msal.ErrBroker) || !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%v, %v", option != nil, err)
		}
	})
}

func ExampleWithBroker() {
	_, err := msal.WithBroker()
	fmt.Println(errors.Is(err, errors.ErrUnsupported), err)
	// Output: true msalext: asking for a broker: brokers aren't available in Go: unsupported operation; sign in with the browser or a device code
}
