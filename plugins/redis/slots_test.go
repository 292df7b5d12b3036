//go:build redis

package redis

import (
	"strings"
	"testing"
)

// While a slot moves to another node, what was moved already is asked for there.
func TestSlotsMove(t *testing.T) {
	t.Parallel()
	c := startShards(t)
	w := startWriters(t, 3, c.settings())
	item := names(w.config.Settings["prefix"]).of("")
	from := c.holder(t, w.config)
	to := c.nodes[0]
	if to == from {
		to = c.nodes[1]
	}
	slot := from.do(t, "cluster", "keyslot", item)
	source, target := from.do(t, "cluster", "myid"), to.do(t, "cluster", "myid")
	to.do(t, "cluster", "setslot", slot, "importing", source)
	from.do(t, "cluster", "setslot", slot, "migrating", target)
	w.more(t, 10)
	from.do(t, "migrate", "127.0.0.1", to.port, item, 0, 5000)
	w.more(t, 10) // at the new node, by ASK
	for _, s := range []*server{to, from} {
		s.do(t, "cluster", "setslot", slot, "node", target)
	}
	w.more(t, 10) // by MOVED
	w.loseNothing(t)
	if n := to.do(t, "exists", item); n != int64(1) {
		t.Error("the item isn't at its new node")
	}
}

// Keys lists across pages and nodes, and nothing of other prefixes.
func TestManyKeys(t *testing.T) {
	t.Parallel()
	c := startShards(t)
	settings := c.settings()
	settings["prefix"] = "te?t [a-z]*"
	s := open(t, settings, nil)
	want := map[string]bool{}
	for _, node := range c.nodes[:3] { // the masters
		pipe := node.admin(t).Pipeline()
		for i := range 3000 {
			for _, prefix := range []string{"te?t [a-z]*", "test a", "te?t [a-z]*:more", ""} {
				pipe.HSet(t.Context(), names(prefix).of("user/"+strings.Repeat("x", i%7)+string(rune('a'+i%26))), "v", "1", "d", "data")
			}
		}
		_, _ = pipe.Exec(t.Context()) // most are for another node
	}
	for i := range 26 {
		want["user/"+string(rune('a'+i))] = true
	}
	got := listed(t, s, "user/")
	for key := range want {
		if !got[key] {
			t.Errorf("%q isn't listed", key)
		}
	}
	if len(got) != 7*26 {
		t.Errorf("%d are listed, want %d", len(got), 7*26)
	}
}
