package backendtest

import (
	"errors"
	"io/fs"
	"os"

	"github.com/msalext/msalext/extensions/backend"
)

func stampFaults() []fault {
	return []fault{
		{"keeps items elsewhere than PathFor", "A store with StampData keeps each item in the file that backend.PathFor names, and none after Delete.", misplacesItems},
		{"changes items and not the file's stamp", "Each Save of a store with StampData shows in inode, size or time of the file.", hidesChanges},
		{"ignores what others write to the file", "A store with StampData loads what lies in the file now, with a version of its own.", ignoresFile},
	}
}

// stamped returns where a StampData store's items lie.
func (c *trial) stamped(s backend.Store) (path func(key string) string, ok bool) {
	c.Helper()
	h, configured := c.harness.(Configured)
	if !configured || s.Info().Stamp != backend.StampData {
		c.Logf("nothing to test: the store doesn't announce StampData, or the harness doesn't know where it lies")
		return nil, false
	}
	base := h.Config().Path
	return func(key string) string { return backend.PathFor(base, key) }, true
}

func misplacesItems(c *trial) {
	s := c.open()
	path, ok := c.stamped(s)
	if !ok {
		return
	}
	for _, key := range []string{"", "k", "User@example.com", "../up", "\x00\xff", long} {
		v := c.save(s, key, []byte("data"), backend.None)
		if fi, err := os.Lstat(path(key)); err != nil || !fi.Mode().IsRegular() || fi.Size() == 0 {
			c.Errorf("the file of %s: %v", short(key), err)
		}
		c.remove(s, key, v)
		if fi, err := os.Lstat(path(key)); err == nil && fi.Size() > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
			c.Errorf("after Delete, the file of %s is still there, or can't be looked at: %v", short(key), err)
		}
	}
}

func hidesChanges(c *trial) {
	s := c.open()
	path, ok := c.stamped(s)
	if !ok {
		return
	}
	var before os.FileInfo
	v := backend.None
	for i := range 10 {
		v = c.save(s, "k", []byte{'v', byte('a' + i)}, v)
		now, err := os.Lstat(path("k"))
		if err != nil {
			c.Fatalf("the file: %v", err)
		}
		if before != nil && os.SameFile(before, now) && before.Size() == now.Size() && before.ModTime().Equal(now.ModTime()) {
			c.Errorf("save %d shows in none of inode, size and time", i)
		}
		before = now
	}
}

// ignoresFile puts an older content of the file back, as a peer might, so that
// it needs to know nothing of the format.
func ignoresFile(c *trial) {
	s := c.open()
	path, ok := c.stamped(s)
	if !ok || s.Info().Encrypted {
		return
	}
	v := c.save(s, "k", []byte("by a peer"), backend.None)
	raw, err := os.ReadFile(path("k"))
	if err != nil {
		c.Fatalf("the file: %v", err)
	}
	v = c.save(s, "k", []byte("by the store"), v)
	if err := os.WriteFile(path("k"), raw, 0o600); err != nil {
		c.Fatalf("write as a peer: %v", err)
	}
	blob, err := s.Load(c.ctx, "k", v)
	if err != nil || blob.Unchanged || string(blob.Data) != "by a peer" {
		c.Errorf("after a peer's write: %s, unchanged %v, %v", short(blob.Data), blob.Unchanged, err)
	}
	_, err = s.Save(c.ctx, "k", []byte("lost"), v)
	c.wants("save over a peer's write", err, backend.ErrConflict)
}
