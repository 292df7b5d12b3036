package backendtest

import "github.com/msalext/msalext/extensions/backend"

func conflictFaults() []fault {
	return []fault{
		{"overwrites from a wrong base", "Save over a version that isn't the current one fails with ErrConflict and changes nothing.", overwritesStale},
		{"overwrites what should be absent", "Save with base None over an item fails with ErrConflict and changes nothing.", overwritesPresent},
		{"creates over a base that is gone", "Save with a base fails with ErrConflict when nothing is stored, and stores nothing.", createsOverBase},
		{"misses a change by another store", "Save and Delete see at once what another store changed.", missesOthers},
	}
}

func overwritesStale(c *trial) {
	s := c.open()
	v1 := c.save(s, "k", []byte("one"), backend.None)
	v2 := c.save(s, "k", []byte("two"), v1)
	for _, base := range []backend.Version{v1, "a version that never was", v2 + "x"} {
		v, err := s.Save(c.ctx, "k", []byte("lost"), base)
		c.wants("save over the wrong version", err, backend.ErrConflict)
		if err != nil && v != backend.None {
			c.Errorf("a save that failed returned version %s", short(v))
		}
	}
	c.holdsAt(s, "k", []byte("two"), v2)
}

func overwritesPresent(c *trial) {
	s := c.open()
	v := c.save(s, "k", []byte("here"), backend.None)
	_, err := s.Save(c.ctx, "k", []byte("lost"), backend.None)
	c.wants("save with base None over an item", err, backend.ErrConflict)
	c.holdsAt(s, "k", []byte("here"), v)
}

func createsOverBase(c *trial) {
	s := c.open()
	_, err := s.Save(c.ctx, "k", []byte("lost"), "a version that never was")
	c.wants("save over a version where nothing is stored", err, backend.ErrConflict)
	c.absent(s, "k")
	v := c.save(s, "k", []byte("gone"), backend.None)
	c.remove(s, "k", v)
	_, err = s.Save(c.ctx, "k", []byte("lost"), v)
	c.wants("save over a deleted item's version", err, backend.ErrConflict)
	c.absent(s, "k")
}

func missesOthers(c *trial) {
	one, two := c.open(), c.reopen()
	old := c.save(one, "k", []byte("one"), backend.None)
	now := c.save(two, "k", []byte("two"), c.load(two, "k").Version)
	_, err := one.Save(c.ctx, "k", []byte("lost"), old)
	c.wants("save after another store's", err, backend.ErrConflict)
	c.wants("delete after another store's save", one.Delete(c.ctx, "k", old), backend.ErrConflict)
	c.holdsAt(one, "k", []byte("two"), now)
	c.remove(two, "k", now)
	c.absent(one, "k")
	c.save(one, "k", []byte("anew"), backend.None)
}
