package redis

import (
	"path"
	"strings"
	"testing"
)

func TestNamesOfItems(t *testing.T) {
	t.Parallel()
	keys := []string{"", "k", "K", "user@contoso.example", "a b", "a:b", ":", "::", "%", "%41", "A", "{x}", "*", "?", "[a]", `\`, "\x00", "\xff", "ä", strings.Repeat("k", 999)}
	seen := map[string]string{}
	for _, prefix := range []names{"app", "app:", "ap", "app:k", "a*", "a?", `a[b]\`, "{tag}"} {
		for _, key := range keys {
			name := prefix.of(key)
			if other, dup := seen[name]; dup {
				t.Errorf("%q has the name %q, as %s", key, name, other)
			}
			seen[name] = string(prefix) + " " + key
			if got, ok := prefix.key(name); !ok || got != key {
				t.Errorf("%q of %q has the key %q, %v", name, prefix, got, ok)
			}
			if rest := strings.TrimPrefix(name, string(prefix)); strings.ContainsAny(rest, "{}*? \x00") {
				t.Errorf("the name of %q is %q", key, name)
			}
		}
	}
	for name, whose := range seen {
		if key, ok := names("app").key(name); ok && whose != "app "+key {
			t.Errorf("%q is taken for %q, and is %s", name, key, whose)
		}
	}
	for _, name := range []string{"app:%4", "app:%41", "app:%zz", "app:a b", "app:%ff", "app", "other:k"} { // nobody stored these
		if key, ok := names("app").key(name); ok {
			t.Errorf("%q is taken for %q", name, key)
		}
	}
}

// path.Match knows the patterns of SCAN, but for names with "/".
func TestPatternsFindWhatTheyShould(t *testing.T) {
	t.Parallel()
	for _, prefix := range []names{"app", "a*", "a?b", `a[b-c]\d`, "a^"} {
		for _, key := range []string{"", "user/a", "*", "[", "%"} {
			for _, begin := range []string{"", key} {
				if ok, err := path.Match(prefix.pattern(begin), prefix.of(key)); err != nil || !ok {
					t.Errorf("%q of %q isn't found by %q: %v", key, prefix, prefix.pattern(begin), err)
				}
			}
		}
		for _, other := range []names{"axb", "ab", "abd", "ax", "bpp", "a"} {
			if ok, _ := path.Match(prefix.pattern(""), other.of("k")); ok {
				t.Errorf("the pattern of %q finds what belongs to %q", prefix, other)
			}
		}
	}
}

func FuzzKey(f *testing.F) {
	f.Add("app", "user@contoso.example")
	f.Add("a:b", "\x00\xff{}")
	f.Fuzz(func(t *testing.T, prefix, key string) {
		n := names(prefix)
		if got, ok := n.key(n.of(key)); !ok || got != key {
			t.Errorf("%q became %q, %v", key, got, ok)
		}
		if got, ok := n.key(key); ok && n.of(got) != key {
			t.Errorf("the name %q is taken for %q, whose name is %q", key, got, n.of(got))
		}
	})
}
