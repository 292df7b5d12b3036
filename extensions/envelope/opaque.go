package envelope

import (
	"fmt"
	"log/slog"
)

// opaque keeps what embeds it from being printed: package fmt would else show
// unexported fields, and with them secrets.
type opaque struct{}

// Format prints "[keys]", whatever the verb.
func (opaque) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[keys]")) }

// LogValue is "[keys]".
func (opaque) LogValue() slog.Value { return slog.StringValue("[keys]") }

// MarshalText is "[keys]", so that encoders don't reveal more either.
func (opaque) MarshalText() ([]byte, error) { return []byte("[keys]"), nil }
