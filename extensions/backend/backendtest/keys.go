package backendtest

import (
	"strings"

	"github.com/msalext/msalext/extensions/backend"
)

var long = strings.Repeat("k", 999)

// Keys that stores confuse.
var confused = []struct {
	name string
	keys []string
}{
	{"ignores the case of keys", []string{"user", "User", "USER", "straße", "STRASSE", "ı", "i", "I"}},
	{"takes keys for paths", []string{"a/b", "a\\b", "a", "b", "a/", "a//b", ".", "..", "../a", "/a", "c:a", "a/../b", "~", "$HOME"}},
	{"ends keys at NUL", []string{"a", "a\x00", "a\x00b", "\x00", "\x00a"}},
	{"alters keys that aren't UTF-8", []string{"\xff", "\xfe", "\ufffd", "\xc3\x28", "\xed\xa0\x80"}},
	{"cuts long keys", []string{long, long + "a", long + "b", "a" + long, "b" + long}},
	{"trims keys", []string{"a", "a ", " a", " ", "a.", "a\n", "\ta", "\r"}},
	{"normalises keys", []string{"\u00e9", "e\u0301", "\uff41", "a", "\u212b", "\u00c5", "A\u030a"}},
	{"decodes keys", []string{"%", "%25", "a%2fb", "a/b", "a+b", "a b", "%h", "=", "YQ==", "a", "*", "?", "[a]", "a;b", "a'b", `a"b`}},
	{"mistakes keys for its own files", []string{
		"x", "x.lockfile", ".lockfile", "x.msalext", ".msalext", "x.tmp", "x.corrupt-1", ".key-x", "x.key-x", "CON", "nul", "aux.txt",
	}},
	{"mistakes keys for the main item", []string{"default", "main", "null", "0", "-", "_"}},
}

func keyFaults() []fault {
	var all []fault
	for _, f := range confused {
		all = append(all, fault{
			f.name, "Any string is a key, and each names an item of its own.",
			func(c *trial) { c.apart(append([]string{""}, f.keys...)) },
		})
	}
	return all
}

// apart expects that no two keys meet.
func (c *trial) apart(keys []string) {
	c.Helper()
	s := c.open()
	versions := make([]backend.Version, len(keys))
	for i, key := range keys {
		versions[i] = c.save(s, key, item(key), backend.None)
	}
	other := c.reopen()
	for _, key := range keys {
		c.holds(other, key, item(key))
	}
	for i, key := range keys {
		if i%2 == 0 {
			c.remove(s, key, versions[i])
		}
	}
	for i, key := range keys {
		if i%2 == 0 {
			c.absent(other, key)
		} else {
			c.holds(other, key, item(key))
		}
	}
}

func item(key string) []byte { return []byte("item " + key) }
