package backendtest

import (
	"context"

	"github.com/msalext/msalext/extensions/backend"
)

func unlockFaults() []fault {
	return []fault{
		{"works while locked", "A locked store answers Load, Save, Delete and Keys with ErrLocked, and doesn't claim to be empty.", worksLocked},
		{"stays locked after Unlock", "Unlock makes a locked store usable, and does nothing to a usable one.", staysLocked},
		{"ignores the context in Unlock", "Unlock with an ended context fails with the context's error, and asks nobody.", unlocksEnded},
	}
}

// locked opens a store that waits for Unlock.
func (c *trial) locked() (backend.Store, backend.Unlocker, bool) {
	c.Helper()
	h, ok := c.harness.(Locked)
	if !ok {
		c.Logf("nothing to test: the harness has no locked store")
		return nil, nil, false
	}
	s := c.track(h.OpenLocked(c.T)).store
	u, ok := announced[backend.Unlocker](c, s, backend.CanUnlock)
	if !ok {
		c.Errorf("a store that is locked doesn't announce Unlock")
	}
	return s, u, ok
}

func worksLocked(c *trial) {
	s, _, ok := c.locked()
	if !ok {
		return
	}
	c.wants("load", loadError(c.ctx, s, "k"), backend.ErrLocked)
	c.wants("save", saveError(c.ctx, s, "k", []byte("data"), backend.None), backend.ErrLocked)
	c.wants("delete", s.Delete(c.ctx, "k", backend.None), backend.ErrLocked)
	if l, ok := backend.Can[backend.Lister](s, backend.CanList); ok {
		c.wants("list", firstError(l.Keys(c.ctx, "")), backend.ErrLocked)
	}
}

func staysLocked(c *trial) {
	if s := c.open(); s.Info().Caps&backend.CanUnlock != 0 {
		c.unlocks(s)
	} else {
		c.Logf("nothing to test: the store doesn't announce %q", backend.CanUnlock)
	}
	if s, _, ok := c.locked(); ok {
		c.unlocks(s)
	}
}

func (c *trial) unlocks(s backend.Store) {
	c.Helper()
	u, ok := announced[backend.Unlocker](c, s, backend.CanUnlock)
	if !ok {
		return
	}
	for range 2 {
		if err := u.Unlock(c.ctx); err != nil {
			c.Fatalf("unlock: %v", err)
		}
	}
	c.save(s, "k", []byte("data"), backend.None)
	c.holds(s, "k", []byte("data"))
}

func unlocksEnded(c *trial) {
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	if u, ok := announced[backend.Unlocker](c, c.open(), backend.CanUnlock); ok {
		c.wants("unlock", u.Unlock(ctx), context.Canceled)
	}
	if s, u, ok := c.locked(); ok {
		c.wants("unlock of a locked store", u.Unlock(ctx), context.Canceled)
		c.wants("load after that", loadError(c.ctx, s, "k"), backend.ErrLocked)
	}
}
