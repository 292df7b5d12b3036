package backendtest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

func listFaults() []fault {
	return []fault{
		{"hides items from Keys", "Keys with the prefix \"\" yields every item once, whatever its key.", hidesItems},
		{"lists what isn't stored", "Keys yields no deleted item, and nothing of an empty store.", listsDeleted},
		{"ignores the prefix in Keys", "Keys yields the items whose key begins with the prefix, and no others.", ignoresPrefix},
		{"misstates items in Keys", "Size is the item's size as stored or -1, and Modified is about the time of the last save or zero.", misstatesItems},
		{"loses count in Keys", "Keys yields what is stored all along once, whatever comes and goes while it lists, and the store can be used meanwhile.", losesCount},
		{"ignores the context in Keys", "Keys with an ended context yields the context's error, and ends when the caller stops.", listsEnded},
	}
}

// keysOf lists, and expects that each key comes once.
func (c *trial) keysOf(l backend.Lister, prefix string) map[string]backend.KeyInfo {
	c.Helper()
	found := map[string]backend.KeyInfo{}
	for info, err := range l.Keys(c.ctx, prefix) {
		if err != nil {
			c.Fatalf("list: %v", err)
		}
		if _, twice := found[info.Key]; twice {
			c.Errorf("%s is listed twice", short(info.Key))
		}
		found[info.Key] = info
	}
	return found
}

func (c *trial) lists(l backend.Lister, prefix string, want map[string]bool) {
	c.Helper()
	found := c.keysOf(l, prefix)
	for key := range want {
		if _, ok := found[key]; !ok {
			c.Errorf("with prefix %s, %s isn't listed", short(prefix), short(key))
		}
	}
	for key := range found {
		if !want[key] {
			c.Errorf("with prefix %s, %s is listed", short(prefix), short(key))
		}
	}
}

func hidesItems(c *trial) {
	s := c.open()
	l, ok := announced[backend.Lister](c, s, backend.CanList)
	if !ok {
		return
	}
	want := map[string]bool{"": true, long: true}
	for _, f := range confused {
		want[f.keys[0]], want[f.keys[len(f.keys)-1]] = true, true
	}
	for i := range 150 {
		want[fmt.Sprintf("user %d", i)] = true
	}
	for key := range want {
		c.save(s, key, item(key), backend.None)
	}
	c.lists(l, "", want)
	if other, ok := announced[backend.Lister](c, c.reopen(), backend.CanList); ok {
		c.lists(other, "", want)
	}
}

func listsDeleted(c *trial) {
	s := c.open()
	l, ok := announced[backend.Lister](c, s, backend.CanList)
	if !ok {
		return
	}
	c.lists(l, "", nil)
	for _, key := range []string{"", "k", "kept"} {
		if v := c.save(s, key, item(key), backend.None); key != "kept" {
			c.remove(s, key, v)
		}
	}
	c.lists(l, "", map[string]bool{"kept": true})
}

func ignoresPrefix(c *trial) {
	s := c.open()
	l, ok := announced[backend.Lister](c, s, backend.CanList)
	if !ok {
		return
	}
	keys := []string{"", "user/a", "user/b", "User/c", "use", "user", "a user/", "%", "_", "\xff", "\xff\x00"}
	for _, key := range keys {
		c.save(s, key, item(key), backend.None)
	}
	for _, prefix := range []string{"user/", "user/a", "u", "%", "_", "*", "\xff", "none"} {
		want := map[string]bool{}
		for _, key := range keys {
			if strings.HasPrefix(key, prefix) {
				want[key] = true
			}
		}
		c.lists(l, prefix, want)
	}
}

func misstatesItems(c *trial) {
	const clocks = time.Hour // what clocks of other machines may differ by
	s := c.open()
	l, ok := announced[backend.Lister](c, s, backend.CanList)
	if !ok {
		return
	}
	v := c.save(s, "k", noise(10), backend.None)
	c.save(s, "k", noise(2000), v)
	info := c.keysOf(l, "")["k"]
	encrypted := s.Info().Encrypted && info.Size > 0
	if info.Size != -1 && info.Size != 2000 && !encrypted {
		c.Errorf("an item of 2000 bytes has size %d", info.Size)
	}
	if away := time.Since(info.Modified).Abs(); !info.Modified.IsZero() && away > clocks {
		c.Errorf("an item of now was modified at %v", info.Modified)
	}
}

// losesCount changes the store with each key that it lists: in the order of keys,
// items go before those that stay, which are replaced, and come behind them.
func losesCount(c *trial) {
	const items = 30
	s := c.open()
	l, ok := announced[backend.Lister](c, s, backend.CanList)
	if !ok {
		return
	}
	versions := map[string]backend.Version{}
	for i := range items {
		for _, kind := range []string{"a", "stays"} {
			key := fmt.Sprintf("%s %d", kind, i)
			versions[key] = c.save(s, key, item(key), backend.None)
		}
	}
	listed := map[string]int{}
	i := 0
	for info, err := range l.Keys(c.ctx, "") {
		if err != nil {
			c.Fatalf("list: %v", err)
		}
		listed[info.Key]++
		if i < items {
			goes, stays := fmt.Sprintf("a %d", i), fmt.Sprintf("stays %d", i)
			c.remove(s, goes, versions[goes])
			c.save(s, stays, noise(10), versions[stays])
			c.save(s, fmt.Sprintf("z new %d", i), noise(10), backend.None)
		}
		i++
	}
	for key, n := range listed {
		if n > 1 {
			c.Errorf("%s is listed %d times", short(key), n)
		}
	}
	for i := range items {
		if key := fmt.Sprintf("stays %d", i); listed[key] == 0 {
			c.Errorf("%s is there all along and isn't listed", short(key))
		}
	}
}

func listsEnded(c *trial) {
	s := c.open()
	l, ok := announced[backend.Lister](c, s, backend.CanList)
	if !ok {
		return
	}
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	c.wants("list of an empty store", firstError(l.Keys(ctx, "")), context.Canceled)
	c.save(s, "a", []byte("data"), backend.None)
	c.save(s, "b", []byte("data"), backend.None)
	c.wants("list", firstError(l.Keys(ctx, "")), context.Canceled)
	for range l.Keys(c.ctx, "") {
		break
	}
}
