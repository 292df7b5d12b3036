package wire

import (
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/backendtest"
	"github.com/msalext/msalext/extensions/backend/memory"
)

// connected is a harness whose stores are at the other end of a connection.
type connected struct {
	*backendtest.Opener
	served *memory.Backend
}

func (c connected) OpenLocked(t backendtest.T) backend.Store {
	c.served.Locked = true
	defer func() { c.served.Locked = false }()
	return c.Open(t)
}

func TestConformanceAcrossTheWire(t *testing.T) {
	for name, most := range map[string]int64{"every power": 0, "a limit": 3000} {
		t.Run(name, func(t *testing.T) {
			served := &memory.Backend{MaxBytes: most}
			c, _, _ := remote(t, served)
			backendtest.Run(t, connected{&backendtest.Opener{Backend: c}, served})
			settled(t, "wire.send[")
		})
	}
}
