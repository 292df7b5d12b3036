package backendtest

import (
	"context"
	"errors"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

func expireFaults() []fault {
	return []fault{
		{"forgets to expire", "An item is gone once the ttl of Expire has passed.", forgetsExpiry},
		{"forgets the ttl at Save", "Save keeps the ttl that an item has.", forgetsAtSave},
		{"expires too early", "An item stays for its ttl, and one without a ttl for ever.", expiresEarly},
		{"keeps a ttl that was taken back", "An item stays for ever once its ttl is 0 or less again.", keepsTTL},
		{"expires nothing without an error", "Expire of an item that isn't stored fails with ErrNotFound.", expiresNothing},
		{"ignores the context in Expire", "Expire with an ended context fails with the context's error and changes nothing.", expiresEnded},
	}
}

const shortTTL = 100 * time.Millisecond

func (c *trial) expirer() (backend.Store, backend.Expirer, bool) {
	c.Helper()
	s := c.open()
	e, ok := announced[backend.Expirer](c, s, backend.CanExpire)
	return s, e, ok
}

func (c *trial) expire(e backend.Expirer, key string, ttl time.Duration) {
	c.Helper()
	if err := e.Expire(c.ctx, key, ttl); err != nil {
		c.Fatalf("expire %q in %v: %v", key, ttl, err)
	}
}

// gone expects that an item expires.
func (c *trial) gone(s backend.Store, key string) {
	c.Helper()
	if !c.eventually(func() bool { return errors.Is(loadError(c.ctx, s, key), backend.ErrNotFound) }) {
		c.Fatalf("%q doesn't expire", key)
	}
}

func forgetsExpiry(c *trial) {
	s, e, ok := c.expirer()
	if !ok {
		return
	}
	for _, key := range []string{"", "k"} {
		c.save(s, key, []byte("data"), backend.None)
		c.expire(e, key, shortTTL)
		c.gone(s, key)
		c.save(s, key, []byte("new"), backend.None)
		c.holds(c.reopen(), key, []byte("new"))
	}
}

// forgetsAtSave saves again before the item expires. On a machine so slow that
// it expires first, the ttl is doubled.
func forgetsAtSave(c *trial) {
	s, e, ok := c.expirer()
	if !ok {
		return
	}
	for ttl := shortTTL; ttl < c.patience; ttl *= 2 {
		v := c.save(s, "k", []byte("one"), backend.None)
		c.expire(e, "k", ttl)
		_, err := s.Save(c.ctx, "k", []byte("two"), v)
		if err == nil {
			c.gone(s, "k")
			return
		}
		if !errors.Is(err, backend.ErrConflict) {
			c.Fatalf("save of an item with a ttl: %v", err)
		}
	}
}

// expiresEarly waits for a witness that expires, and looks at the others then.
func expiresEarly(c *trial) {
	s, e, ok := c.expirer()
	if !ok {
		return
	}
	for _, key := range []string{"hour", "witness", "without"} {
		c.save(s, key, item(key), backend.None)
	}
	c.expire(e, "hour", time.Hour)
	c.expire(e, "witness", shortTTL)
	c.gone(s, "witness")
	c.holds(s, "hour", item("hour"))
	c.holds(s, "without", item("without"))
}

// keepsTTL has a witness whose ttl is as long and begins later, and doubles
// both on a machine so slow that the item expires before its ttl is taken back.
func keepsTTL(c *trial) {
	s, e, ok := c.expirer()
	if !ok {
		return
	}
	for ttl := shortTTL; ttl < c.patience; ttl *= 2 {
		c.save(s, "k", []byte("kept"), backend.None)
		c.expire(e, "k", ttl)
		err := e.Expire(c.ctx, "k", 0)
		if errors.Is(err, backend.ErrNotFound) {
			continue
		}
		c.wants("expire in 0", err, nil)
		c.save(s, "witness", []byte("data"), backend.None)
		c.expire(e, "witness", ttl)
		c.gone(s, "witness")
		c.holds(s, "k", []byte("kept"))
		return
	}
}

func expiresNothing(c *trial) {
	s, e, ok := c.expirer()
	if !ok {
		return
	}
	c.wants("expire of nothing", e.Expire(c.ctx, "k", time.Hour), backend.ErrNotFound)
	c.absent(s, "k")
}

func expiresEnded(c *trial) {
	s, e, ok := c.expirer()
	if !ok {
		return
	}
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	c.save(s, "k", []byte("kept"), backend.None)
	c.save(s, "witness", []byte("data"), backend.None)
	c.wants("expire", e.Expire(ctx, "k", time.Nanosecond), context.Canceled)
	c.expire(e, "witness", shortTTL)
	c.gone(s, "witness")
	c.holds(s, "k", []byte("kept"))
}
