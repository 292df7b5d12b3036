package backendtest

import (
	"bytes"

	"github.com/msalext/msalext/extensions/backend"
)

func versionFaults() []fault {
	return []fault{
		{"names another version than Load", "Save returns the version that Load returns then, in this store and in another.", mismatchedVersions},
		{"gives different bytes one version", "A version differs whenever the bytes differ, also between quick writes of equal length.", reusesVersions},
		{"says unchanged of changed bytes", "Load says Unchanged only when the item has the version that the caller named, also when old bytes came back.", wronglyUnchanged},
		{"mixes up unchanged and data", "Unchanged comes with the version named and without data; without it, data and version of the item come.", mixesUnchanged},
	}
}

func mismatchedVersions(c *trial) {
	s := c.open()
	v := backend.None
	for _, text := range []string{"one", "two", "three"} {
		v = c.save(s, "k", []byte(text), v)
		c.holdsAt(s, "k", []byte(text), v)
		c.holdsAt(c.reopen(), "k", []byte(text), v)
	}
}

func reusesVersions(c *trial) {
	s := c.open()
	seen := map[backend.Version]int{}
	v := backend.None
	for i := range 20 {
		v = c.save(s, "k", []byte{'v', byte('a' + i)}, v)
		if first, ok := seen[v]; ok {
			c.Fatalf("writes %d and %d, of different bytes, have version %s", first, i, short(v))
		}
		seen[v] = i
	}
	c.remove(s, "k", v)
	v = c.save(s, "k", []byte("other"), backend.None)
	if _, ok := seen[v]; ok {
		c.Errorf("the version %s came back after a delete, for different bytes", short(v))
	}
}

// wronglyUnchanged writes A, B, A, asks with each version that there was, and
// expects the bytes that are there, except where the version named stood for
// the same bytes.
func wronglyUnchanged(c *trial) {
	s := c.open()
	a, b := []byte("bytes A"), []byte("bytes B")
	v1 := c.save(s, "k", a, backend.None)
	v2 := c.save(s, "k", b, v1)
	c.unlessSame(s, v1, a, b)
	v3 := c.save(s, "k", a, v2)
	c.unlessSame(s, v2, b, a)
	c.unlessSame(s, v1, a, a)
	c.remove(s, "k", v3)
	c.save(s, "k", b, backend.None)
	c.unlessSame(s, v3, a, b)
	c.unlessSame(c.reopen(), v3, a, b)
}

func (c *trial) unlessSame(s backend.Store, have backend.Version, had, now []byte) {
	c.Helper()
	blob, err := s.Load(c.ctx, "k", have)
	switch {
	case err != nil:
		c.Errorf("load with an old version at hand: %v", err)
	case blob.Unchanged && !bytes.Equal(had, now):
		c.Errorf("unchanged since %s, which stood for other bytes", short(have))
	case !blob.Unchanged && !bytes.Equal(blob.Data, now):
		c.Errorf("with an old version at hand: %s", difference(blob.Data, now))
	}
}

func mixesUnchanged(c *trial) {
	s := c.open()
	v := c.save(s, "k", []byte("data"), backend.None)
	blob, err := s.Load(c.ctx, "k", v)
	switch {
	case err != nil:
		c.Errorf("load with the version at hand: %v", err)
	case blob.Version != v:
		c.Errorf("load with %s at hand answers version %s", short(v), short(blob.Version))
	case blob.Unchanged && blob.Data != nil:
		c.Errorf("unchanged, and %d bytes of data", len(blob.Data))
	case !blob.Unchanged && string(blob.Data) != "data":
		c.Errorf("neither unchanged nor the data: %s", short(blob.Data))
	}
	if blob = c.load(s, "k"); string(blob.Data) != "data" {
		c.Errorf("without a version at hand: %s", difference(blob.Data, []byte("data")))
	}
}
