package atomicfile

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
)

// cacheLike is JSON with entries of about the size that tokens have.
func cacheLike(entries int) []byte {
	var b bytes.Buffer
	for i := range entries {
		fmt.Fprintf(&b, `{"n":"%d","secret":"%s"}`, i, bytes.Repeat([]byte{byte('a' + i%26)}, 1000+37*(i%13)))
	}
	return b.Bytes()
}

// overwriteInPlace does what peers do, and hides it as well as it can be hidden.
func overwriteInPlace(t *testing.T, path string, data []byte) {
	t.Helper()
	before, err := os.Stat(path)
	if err != nil || before.Size() != int64(len(data)) {
		t.Fatal(before.Size(), err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Close(), os.Chtimes(path, before.ModTime(), before.ModTime())); err != nil {
		t.Fatal(err)
	}
}

func TestHiddenOverwritingIsNoticed(t *testing.T) {
	t.Parallel()
	ours := cacheLike(200)
	for name, at := range map[string]int{
		"first byte": 0, "middle": len(ours) / 2, "last byte": len(ours) - 1, "between what is compared at a time": comparing,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "cache")
			v, err := Write(t.Context(), path, ours, backend.None)
			if err != nil {
				t.Fatal(err)
			}
			theirs := bytes.Clone(ours)
			theirs[at] ^= 1
			overwriteInPlace(t, path, theirs)
			if _, err := Write(t.Context(), path, cacheLike(100), v); !errors.Is(err, backend.ErrConflict) {
				t.Errorf("write: %v", err)
			}
			if err := Remove(t.Context(), path, v); !errors.Is(err, backend.ErrConflict) {
				t.Errorf("remove: %v", err)
			}
			blob, _, err := Load(path, v)
			if err != nil || blob.Unchanged || !bytes.Equal(blob.Data, theirs) || blob.Version != VersionOf(theirs) {
				t.Errorf("load: %t, %v", blob.Unchanged, err)
			}
			overwriteInPlace(t, path, ours) // and back
			if blob, _, err := Load(path, v); err != nil || !blob.Unchanged {
				t.Errorf("load of what was there first: %t, %v", blob.Unchanged, err)
			}
		})
	}
}

func TestLongerAndShorterIsNoticed(t *testing.T) {
	t.Parallel()
	ours := cacheLike(200)
	for _, theirs := range [][]byte{append(bytes.Clone(ours), ' '), ours[:len(ours)-1], ours[:comparing], nil} {
		path := filepath.Join(t.TempDir(), "cache")
		v, err := Write(t.Context(), path, ours, backend.None)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, theirs, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Write(t.Context(), path, cacheLike(1), v); !errors.Is(err, backend.ErrConflict) {
			t.Errorf("%d bytes: %v", len(theirs), err)
		}
	}
}

// What is known must stay what the file held, whatever callers do with their
// memory.
func TestKnownIsACopy(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cache")
	ours := cacheLike(20)
	theirs := bytes.Clone(ours)
	theirs[len(theirs)/2] ^= 1
	passed := bytes.Clone(ours)
	v, err := Write(t.Context(), path, passed, backend.None)
	if err != nil {
		t.Fatal(err)
	}
	copy(passed, theirs)
	overwriteInPlace(t, path, theirs)
	blob, _, err := Load(path, v)
	if err != nil || blob.Unchanged || blob.Version != VersionOf(theirs) {
		t.Fatalf("the caller's memory counts for the file's: %t, %v", blob.Unchanged, err)
	}
	copy(blob.Data, ours)
	overwriteInPlace(t, path, ours)
	if blob, err = Read(path); err != nil || blob.Version != v {
		t.Errorf("%s, not %s, %v", blob.Version, v, err)
	}
}

// The version says nothing of what was there before.
func TestVersionIsOfTheContentAlone(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	k, data := known{path: "p"}, cacheLike(150)
	for range 2000 {
		for range 1 + random.IntN(3) {
			data = edit(random, data)
		}
		var v backend.Version
		if v, k = k.learn(data); v != VersionOf(data) {
			t.Fatalf("%d bytes: the version depends on what was known", len(data))
		}
	}
}

// edit removes, repeats, moves or changes a part of data.
func edit(random *rand.Rand, data []byte) []byte {
	from := random.IntN(len(data))
	to := min(from+random.IntN(3*pieceMost), len(data))
	part := bytes.Clone(data[from:to])
	switch random.IntN(4) {
	case 0:
		if len(data)-len(part) > worthKeeping {
			return slices.Delete(bytes.Clone(data), from, to)
		}
	case 1:
		if len(data) < 1<<20 {
			return slices.Insert(bytes.Clone(data), random.IntN(len(data)), part...)
		}
	case 2:
		rest := slices.Delete(bytes.Clone(data), from, to)
		return slices.Insert(rest, random.IntN(len(rest)+1), part...)
	}
	data = bytes.Clone(data)
	data[from] ^= byte(1 + random.IntN(255))
	return data
}

func TestVersionsDiffer(t *testing.T) {
	t.Parallel()
	data := cacheLike(50)
	first := pieceOf(data)
	second := pieceOf(data[len(first):])
	rest := data[len(first)+len(second):]
	all := map[backend.Version]string{}
	for name, content := range map[string][]byte{
		"one byte": {'x'}, "all": data, "swapped": slices.Concat(second, first, rest), "one missing": slices.Concat(first, rest),
		"one twice": slices.Concat(first, first, second, rest), "first only": first, "without an object": bytes.Repeat([]byte("x"), 3*pieceMost),
		"and one more": bytes.Repeat([]byte("x"), 3*pieceMost+1), "NULs": make([]byte, pieceLeast), "more NULs": make([]byte, pieceLeast+1),
	} {
		v := VersionOf(content)
		if other, taken := all[v]; taken || len(v) != 64 {
			t.Errorf("%s has the version of %s: %q", name, other, v)
		}
		all[v] = name
	}
	if VersionOf(nil) != backend.None {
		t.Error("no content has a version")
	}
}

// Of ten thousand caches few are kept, and the others work as well.
func TestKnownIsBounded(t *testing.T) {
	dir := t.TempDir() // not parallel: it looks at what all tests share
	data := cacheLike(1000)
	versions := map[string]backend.Version{}
	for i := range 3 * keptMost / len(data) {
		path := filepath.Join(dir, fmt.Sprint(i))
		v, err := Write(t.Context(), path, data, backend.None)
		if err != nil {
			t.Fatal(err)
		}
		versions[path] = v
	}
	total := 0
	for _, k := range lately.kept {
		total += cap(k.data)
	}
	if total == 0 || total > keptMost {
		t.Errorf("%d bytes are kept", total)
	}
	for path, v := range versions {
		if blob, _, err := Load(path, v); err != nil || !blob.Unchanged {
			t.Fatalf("%s: %t, %v", path, blob.Unchanged, err)
		}
	}
}

func TestManyUseOneFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cache")
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := range 25 {
				write(t, path, cacheLike(10+i+n))
			}
		})
	}
	wg.Wait()
}

// write tries until nobody comes between.
func write(t *testing.T, path string, data []byte) {
	var base backend.Version
	for {
		blob, _, err := Load(path, base)
		if err != nil && !errors.Is(err, backend.ErrNotFound) {
			t.Error(err)
			return
		}
		if !blob.Unchanged && VersionOf(blob.Data) != blob.Version {
			t.Error("a load gave data of another version")
			return
		}
		base = blob.Version
		v, err := Write(t.Context(), path, data, base)
		if err == nil && v == VersionOf(data) {
			return
		}
		if !errors.Is(err, backend.ErrConflict) {
			t.Errorf("version %s, %v", v, err)
			return
		}
	}
}
