package backendtest

import "github.com/msalext/msalext/extensions/backend"

func deleteFaults() []fault {
	return []fault{
		{"keeps what was deleted", "After Delete nothing is stored, and Save with base None works.", keepsDeleted},
		{"deletes other items too", "Delete removes one item and leaves all others.", deletesOthers},
		{"deletes from a wrong base", "Delete of a version that isn't the current one, or of None, fails with ErrConflict and changes nothing.", deletesStale},
		{"fails to delete nothing", "Delete of nothing succeeds with base None, and fails with ErrConflict with any other.", deletesNothing},
	}
}

func keepsDeleted(c *trial) {
	s := c.open()
	for _, key := range []string{"", "k"} {
		v := c.save(s, key, []byte("data"), backend.None)
		c.remove(s, key, v)
		c.absent(s, key)
		_, err := s.Load(c.ctx, key, v)
		c.wants("load of a deleted item with its version at hand", err, backend.ErrNotFound)
		c.save(s, key, []byte("again"), backend.None)
		c.holds(c.reopen(), key, []byte("again"))
	}
}

func deletesOthers(c *trial) {
	s := c.open()
	versions := map[string]backend.Version{}
	keys := []string{"", "k", "k1", "kk", "other"}
	for _, key := range keys {
		versions[key] = c.save(s, key, []byte("item "+key), backend.None)
	}
	for i, key := range []string{"k", ""} {
		c.remove(s, key, versions[key])
		for _, kept := range keys[2:] {
			c.holds(s, kept, []byte("item "+kept))
		}
		if i == 0 {
			c.holds(s, "", []byte("item "))
		}
	}
}

func deletesStale(c *trial) {
	s := c.open()
	v1 := c.save(s, "k", []byte("one"), backend.None)
	v2 := c.save(s, "k", []byte("two"), v1)
	for _, base := range []backend.Version{v1, backend.None, "a version that never was"} {
		c.wants("delete of the wrong version", s.Delete(c.ctx, "k", base), backend.ErrConflict)
	}
	c.holdsAt(s, "k", []byte("two"), v2)
}

func deletesNothing(c *trial) {
	s := c.open()
	for range 2 {
		if err := s.Delete(c.ctx, "k", backend.None); err != nil {
			c.Errorf("delete of nothing: %v", err)
		}
	}
	c.wants("delete of a version where nothing is stored", s.Delete(c.ctx, "k", "a version that never was"), backend.ErrConflict)
	c.absent(s, "k")
}
