package extensions_test

import (
	"fmt"
	"slices"

	"github.com/msalext/msalext/extensions"
)

func ExamplePresets() {
	fmt.Println(slices.Contains(extensions.Presets(), "azure-cli"))
	// Output: true
}
