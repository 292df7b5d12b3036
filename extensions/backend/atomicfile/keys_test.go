package atomicfile_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
)

var longKey = strings.Repeat("k", 129)

func mustWriteItem(t *testing.T, path, key string) backend.Version {
	t.Helper()
	v, err := atomicfile.WriteItem(t.Context(), path, key, []byte("item "+key), backend.None)
	if err != nil {
		t.Fatalf("%.40q: %v", key, err)
	}
	return v
}

// listed are the keys, in order, and the error that came last.
func listed(t *testing.T, path, prefix string) (keys []string, last error) {
	t.Helper()
	for info, err := range atomicfile.Keys(t.Context(), path, prefix) {
		switch {
		case last != nil:
			t.Errorf("%q and %v came after an error", info.Key, err)
		case err != nil:
			last = err
		default:
			if want := int64(len("item " + info.Key)); info.Size != want || info.Modified.IsZero() {
				t.Errorf("%.40q: size %d, want %d; modified %v", info.Key, info.Size, want, info.Modified)
			}
			keys = append(keys, info.Key)
		}
	}
	slices.Sort(keys)
	return keys, last
}

func wantListed(t *testing.T, path, prefix string, want ...string) {
	t.Helper()
	keys, err := listed(t, path, prefix)
	slices.Sort(want)
	if diff := cmp.Diff(want, keys); diff != "" || err != nil {
		t.Errorf("prefix %q: %v\n%s", prefix, err, diff)
	}
}

func TestKeysOfAnyBytes(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	keys := []string{
		"", "a", "A", "user/1", "../../etc/passwd", "..", ".", "\x00", "a\x00b", "\xff\xfe", "ä", "%h", "%25", "a b\n", "CON",
		longKey, longKey + "\x00", strings.Repeat("\xff", 10<<10), strings.Repeat("../", 4000), "%h" + strings.Repeat("0", 64),
		"x.lockfile", "x.name", ".name", "x.corrupt-20250101T000000Z", "probe-x",
	}
	versions := map[string]backend.Version{}
	for _, key := range keys {
		versions[key] = mustWriteItem(t, path, key)
	}
	wantListed(t, path, "", keys...)
	wantListed(t, path, "user/", "user/1")
	wantListed(t, path, longKey, longKey, longKey+"\x00")
	wantListed(t, path, "..", "../../etc/passwd", "..", strings.Repeat("../", 4000))
	wantListed(t, path, "nobody")
	for key, v := range versions {
		if err := atomicfile.RemoveItem(t.Context(), path, key, v); err != nil {
			t.Error(err)
		}
	}
	wantListed(t, path, "")
	wantAlone(t, filepath.Dir(path))
}

func TestKeysLeavesOutWhatIsNoItem(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	hash := filepath.Base(backend.PathFor(path, longKey))
	mustWriteItem(t, path, "a")
	mustWriteItem(t, path+"2", "of another location")
	for _, name := range []string{
		"cache.lockfile", "cache.lockqueue", "cache.msalext", "cache.writes", "cache.corrupt-20250101T000000Z", ".lockfile",
		"cache.key-a.lockfile", "cache.key-a.lockqueue", "cache.key-a.writes", "cache.key-a.corrupt-20250101T000000Z-1",
		"cache.msalext-tmp-0123456789abcdef", "cache.key-a.msalext-tmp-0123456789abcdef",
		hash + ".name", hash + ".name.msalext-tmp-0123456789abcdef", hash + ".corrupt-20250101T000000Z", hash + "ff", "cache.key-%h12.name",
		"cache.key-", "cache.key-%", "cache.key-%zz", "cache.key-%61", "cache.key-%4G", "cache.key-a%2E", "cache.keys",
	} {
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.WriteFile(backend.PathFor(path, "empty"), nil, 0o600), os.WriteFile(path, nil, 0o600),
		os.Mkdir(backend.PathFor(path, "directory"), 0o700)); err != nil {
		t.Fatal(err)
	}
	wantListed(t, path, "", "a")
	wantListed(t, filepath.Join(filepath.Dir(path), "missing", "cache"), "")
}

func TestEndedContextEndsTheList(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	for i := range 3 {
		mustWriteItem(t, path, fmt.Sprint(i))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	for _, err := range atomicfile.Keys(ctx, path, "") {
		if n++; n == 2 && !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		cancel()
	}
	if n != 2 {
		t.Errorf("%d came", n)
	}
}

// TestUnknownKey: of a file that is named by a hash nobody can tell the key, if
// it isn't kept. That is an error, and hides nothing else.
func TestUnknownKey(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(kept string) error{
		"missing":     os.Remove,
		"empty":       func(kept string) error { return os.WriteFile(kept, nil, 0o600) },
		"torn":        func(kept string) error { return os.WriteFile(kept, []byte(longKey[:100]), 0o600) },
		"another":     func(kept string) error { return os.WriteFile(kept, []byte(longKey+"k"), 0o600) },
		"a directory": func(kept string) error { return errors.Join(os.Remove(kept), os.Mkdir(kept, 0o700)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := cachePath(t)
			v := mustWriteItem(t, path, longKey)
			mustWriteItem(t, path, "a")
			mustWriteItem(t, path, "z")
			kept := backend.PathFor(path, longKey) + ".name"
			if err := spoil(kept); err != nil {
				t.Fatal(err)
			}
			keys, err := listed(t, path, "")
			if diff := cmp.Diff([]string{"a", "z"}, keys); diff != "" {
				t.Error(diff)
			}
			wantKind(t, err, backend.ErrCorrupt)
			if name == "a directory" { // nothing is written then
				ctx, cancel := context.WithTimeout(t.Context(), time.Second) // Windows doesn't tell it from a file that is held open
				defer cancel()
				if _, err := atomicfile.WriteItem(ctx, path, longKey, []byte("new"), v); err == nil {
					t.Error("an item was stored whose key isn't kept")
				}
				if got := mustRead(t, backend.PathFor(path, longKey)); string(got.Data) != "item "+longKey {
					t.Errorf("the item became %q", got.Data)
				}
				return
			}
			if _, err := atomicfile.WriteItem(t.Context(), path, longKey, []byte("item "+longKey), v); err != nil {
				t.Fatal(err)
			}
			wantListed(t, path, "", "a", "z", longKey)
		})
	}
}

// TestKeysOfGoneItemsAreDropped: whoever was killed between item and key left
// one without the other.
func TestKeysOfGoneItemsAreDropped(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	gone, aside := backend.PathFor(path, longKey+"1"), backend.PathFor(path, longKey+"2")
	for _, name := range []string{gone + ".name", gone + ".lockqueue", aside + ".name", aside + ".corrupt-20250101T000000Z", path + ".name"} {
		if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mustWriteItem(t, path, longKey)
	for name, want := range map[string]bool{
		gone + ".name": false, gone + ".lockqueue": true, aside + ".name": true, path + ".name": true,
		backend.PathFor(path, longKey) + ".name": true,
	} {
		if _, err := os.Lstat(name); (err == nil) != want {
			t.Errorf("%s: there %v, want %v", filepath.Base(name), err == nil, want)
		}
	}
}

// TestListWhileItemsComeAndGo expects each item that is there all along once,
// and no error, though others are created, replaced and removed.
func TestListWhileItemsComeAndGo(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	var stay []string
	for i := range 60 {
		key := fmt.Sprintf("stays %d", i)
		if i%2 == 0 {
			key += longKey
		}
		mustWriteItem(t, path, key)
		stay = append(stay, key)
	}
	slices.Sort(stay)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() { comeAndGo(ctx, t, path, fmt.Sprintf("goes %d", i), longKey) })
		wg.Go(func() { replaceEver(ctx, t, path, stay[i]) })
	}
	for range 12 {
		keys, err := listed(t, path, "stays")
		if diff := cmp.Diff(stay, keys); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
			break
		}
		if _, err := listed(t, path, ""); err != nil {
			t.Error(err)
			break
		}
	}
	stop()
	wg.Wait()
}

func comeAndGo(ctx context.Context, t *testing.T, path string, name, tail string) {
	for ctx.Err() == nil {
		for _, key := range []string{name, name + tail} {
			v, err := atomicfile.WriteItem(ctx, path, key, []byte("item "+key), backend.None)
			if err == nil {
				err = atomicfile.RemoveItem(ctx, path, key, v)
			}
			if err != nil && ctx.Err() == nil {
				t.Error(err)
				return
			}
		}
	}
}

func replaceEver(ctx context.Context, t *testing.T, path, key string) {
	at := backend.PathFor(path, key)
	for i := 0; ctx.Err() == nil; i++ {
		blob, err := atomicfile.Read(at)
		if err == nil { // of the same size
			data := []byte("item " + key)
			data[0] = byte('a' + i%26)
			_, err = atomicfile.WriteItem(ctx, path, key, data, blob.Version)
		}
		if err != nil && ctx.Err() == nil {
			t.Error(err)
			return
		}
	}
}
