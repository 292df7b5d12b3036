package tokencache

import (
	"bytes"
	"testing"
)

func TestCloneChangesByItself(t *testing.T) {
	t.Parallel()
	var c TokenCache
	if err := c.Deserialize(doc(signIn("alice", "c", "1")...)); err != nil {
		t.Fatal(err)
	}
	before := c.Serialize()
	told := false
	c.OnChange(func() { told = true })
	token := Query{Section: AccessTokens, HomeAccountID: "alice"}
	clone := c.Clone()
	for name, cache := range map[string]*TokenCache{"first": clone, "of a searched one": c.Clone(), "of a clone": clone.Clone()} {
		found := cache.Search(token)
		if len(found) != 1 {
			t.Fatalf("%s: %d found", name, len(found))
		}
		if _, err := cache.Modify(found[0], map[string]any{"secret": "new"}); err != nil {
			t.Fatal(err)
		}
		if got := c.Search(token); len(got) != 1 || got[0].Secret() == "new" || told {
			t.Errorf("%s: the original changed", name)
		}
		if got := cache.Search(token); len(got) != 1 || got[0].Secret() != "new" {
			t.Errorf("%s: it didn't change", name)
		}
		cache.RemoveAccount(cache.Accounts()[0], "")
		if len(c.Accounts()) != 1 || len(cache.Accounts()) != 0 {
			t.Errorf("%s: the account of the original went", name)
		}
	}
	if err := clone.Deserialize(nil); err != nil || !bytes.Equal(c.Serialize(), before) {
		t.Errorf("the original changed, %v", err)
	}
	if c.HasStateChanged() {
		t.Error("the original says that it changed")
	}
}

// A clone that was changed and written goes on as one that was read again.
func TestCloneOfAChangedCacheWritesTheSame(t *testing.T) {
	t.Parallel()
	var c TokenCache
	if err := c.Deserialize(doc(signIn("alice", "c", "1")...)); err != nil {
		t.Fatal(err)
	}
	c.RemoveAccount(c.Accounts()[0], "")
	written := c.Serialize()
	var again TokenCache
	if err := again.Deserialize(written); err != nil {
		t.Fatal(err)
	}
	if got := c.Clone().Serialize(); !bytes.Equal(got, written) || !bytes.Equal(again.Serialize(), written) {
		t.Errorf("wrote %s, not %s", got, written)
	}
}

// What was removed doesn't gather in a cache that is cloned after each change.
func TestClonesDoNotGrow(t *testing.T) {
	t.Parallel()
	var c TokenCache
	if err := c.Deserialize(doc(append(signIn("alice", "c", "1"), signIn("bob", "c", "1")...)...)); err != nil {
		t.Fatal(err)
	}
	c.RemoveAccount(c.Accounts()[0], "")
	clone := c.Clone()
	for _, k := range []Section{AccessTokens, RefreshTokens, IDTokens, Accounts} {
		if n := len(clone.sections[k].entries); n != 1 {
			t.Errorf("%v: %d entries", k, n)
		}
	}
	found := clone.Search(Query{Section: AccessTokens, HomeAccountID: "bob"})
	if len(found) != 1 {
		t.Fatalf("%d found", len(found))
	}
	changed, err := clone.Modify(found[0], map[string]any{"secret": "new"})
	if err != nil || changed.Secret() != "new" || !clone.Remove(changed) {
		t.Errorf("what is left can't be changed: %v, %v", changed, err)
	}
}
