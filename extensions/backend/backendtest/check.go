package backendtest

import (
	"context"

	"github.com/msalext/msalext/extensions/backend"
)

func checkFaults() []fault {
	return []fault{
		{"finds damage where none is", "Check of a store that nobody damaged succeeds, empty or not, and changes nothing.", findsDamage},
		{"ignores the context in Check", "Check with an ended context fails with the context's error.", checksEnded},
	}
}

func findsDamage(c *trial) {
	s := c.open()
	ch, ok := announced[backend.Checker](c, s, backend.CanCheck)
	if !ok {
		return
	}
	if err := ch.Check(c.ctx); err != nil {
		c.Errorf("check of an empty store: %v", err)
	}
	v := c.save(s, "k", noise(100), backend.None)
	if err := ch.Check(c.ctx); err != nil {
		c.Errorf("check: %v", err)
	}
	c.holdsAt(s, "k", noise(100), v)
}

func checksEnded(c *trial) {
	s := c.open()
	ch, ok := announced[backend.Checker](c, s, backend.CanCheck)
	if !ok {
		return
	}
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	c.wants("check", ch.Check(ctx), context.Canceled)
}
