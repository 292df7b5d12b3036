package redis

import (
	"net/url"
	"strings"
)

// names are those of one store's items among the server's keys. An item is
// stored under prefix, ":" and its key, in which all but letters, digits and
// ".@_-" is written "%xx". So the last ":" of a name ends the prefix, no two
// stores' items meet, and nothing in a key is taken for a hash tag, which would
// choose the node in a Cluster.
type names string

func (n names) of(key string) string { return string(n) + ":" + escape(key) }

// key is the key of an item by its name; false: another store's, or nobody's.
func (n names) key(name string) (string, bool) {
	escaped, ok := strings.CutPrefix(name, string(n)+":")
	if !ok {
		return "", false
	}
	key, err := url.PathUnescape(escaped)
	return key, err == nil && escape(key) == escaped
}

// pattern is what SCAN finds the names of items by whose keys begin with prefix.
func (n names) pattern(prefix string) string {
	return globs.Replace(string(n)) + ":" + escape(prefix) + "*"
}

var globs = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`)

func escape(key string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(key) {
		if c := key[i]; plain(c) {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}

func plain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(".@_-", c) >= 0
}
