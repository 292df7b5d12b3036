package backendtest

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/msalext/msalext/extensions/backend"
)

// save expects that a store takes an item.
func (c *trial) save(s backend.Store, key string, data []byte, base backend.Version) backend.Version {
	c.Helper()
	v, err := s.Save(c.ctx, key, data, base)
	if err != nil {
		c.Fatalf("save %d bytes under %s over %s: %v", len(data), short(key), short(base), err)
	}
	if v == backend.None {
		c.Fatalf("save of %d bytes under %s returned no version", len(data), short(key))
	}
	return v
}

// remove expects that a store deletes an item.
func (c *trial) remove(s backend.Store, key string, base backend.Version) {
	c.Helper()
	if err := s.Delete(c.ctx, key, base); err != nil {
		c.Fatalf("delete %s at %s: %v", short(key), short(base), err)
	}
}

// load expects an item with data.
func (c *trial) load(s backend.Store, key string) backend.Blob {
	c.Helper()
	blob, err := s.Load(c.ctx, key, backend.None)
	switch {
	case err != nil:
		c.Fatalf("load %s: %v", short(key), err)
	case blob.Unchanged:
		c.Fatalf("load of %s without a version at hand says unchanged", short(key))
	}
	return blob
}

// holds expects that an item has these bytes.
func (c *trial) holds(s backend.Store, key string, want []byte) {
	c.Helper()
	if got := c.load(s, key).Data; !bytes.Equal(got, want) {
		c.Errorf("%s: %s", short(key), difference(got, want))
	}
}

// holdsAt expects bytes and version.
func (c *trial) holdsAt(s backend.Store, key string, want []byte, v backend.Version) {
	c.Helper()
	c.holds(s, key, want)
	if got := c.load(s, key).Version; got != v {
		c.Errorf("%s has version %s, want %s", short(key), short(got), short(v))
	}
}

// absent expects that nothing is stored.
func (c *trial) absent(s backend.Store, key string) {
	c.Helper()
	blob, err := s.Load(c.ctx, key, backend.None)
	if !errors.Is(err, backend.ErrNotFound) {
		c.Errorf("load of %s, which isn't stored: %d bytes, %v; want ErrNotFound", short(key), len(blob.Data), err)
	}
}

// wants expects a failure.
func (c *trial) wants(what string, err, want error) {
	c.Helper()
	if !errors.Is(err, want) {
		c.Errorf("%s: %v; want the error %q", what, err, want)
	}
}

// difference tells how data differs without printing much of it.
func difference(got, want []byte) string {
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	return fmt.Sprintf("loaded %d bytes, saved %d; they differ from byte %d on: %s, want %s",
		len(got), len(want), at, short(got[at:]), short(want[at:]))
}

// short quotes the beginning of a text.
func short[S ~string | ~[]byte](s S) string {
	const most = 24
	if len(s) > most {
		return fmt.Sprintf("%q… (%d bytes)", string(s[:most]), len(s))
	}
	return fmt.Sprintf("%q", string(s))
}
