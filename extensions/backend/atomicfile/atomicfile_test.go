package atomicfile_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
)

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for name, data := range map[string][]byte{
		"one byte": {0}, "text": []byte(`{"AccessToken":{}}`), "NULs": bytes.Repeat([]byte{0}, 4096),
		"16 MiB": bytes.Repeat([]byte("0123456789abcdef"), 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := cachePath(t)
			v := mustWrite(t, path, data, backend.None)
			blob := mustRead(t, path)
			if !bytes.Equal(blob.Data, data) || blob.Version != v || v != atomicfile.VersionOf(data) || blob.Unchanged {
				t.Errorf("got %d bytes of version %s, want %d of %s", len(blob.Data), blob.Version, len(data), v)
			}
			if again, _, err := atomicfile.Load(path, v); err != nil || !again.Unchanged || again.Data != nil || again.Version != v {
				t.Errorf("same version: %+v, %v", again, err)
			}
			if err := atomicfile.Remove(t.Context(), path, v); err != nil {
				t.Fatal(err)
			}
			_, err := atomicfile.Read(path)
			wantKind(t, err, backend.ErrNotFound)
			wantAlone(t, filepath.Dir(path))
		})
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	v1 := mustWrite(t, path, []byte("one"), backend.None)
	for _, base := range []backend.Version{backend.None, "x", atomicfile.VersionOf([]byte("two"))} {
		_, err := atomicfile.Write(t.Context(), path, []byte("lost"), base)
		wantKind(t, err, backend.ErrConflict)
		wantKind(t, atomicfile.Remove(t.Context(), path, base), backend.ErrConflict)
	}
	v2 := mustWrite(t, path, []byte("two"), v1)
	if v1 == v2 || string(mustRead(t, path).Data) != "two" {
		t.Errorf("versions %q and %q, content %q", v1, v2, mustRead(t, path).Data)
	}
	wantAlone(t, filepath.Dir(path), "cache")
	if err := atomicfile.Remove(t.Context(), path, v2); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Remove(t.Context(), path, backend.None); err != nil {
		t.Errorf("removing nothing: %v", err)
	}
	wantKind(t, atomicfile.Remove(t.Context(), path, v2), backend.ErrConflict)
	_, err := atomicfile.Write(t.Context(), path, []byte("x"), v2)
	wantKind(t, err, backend.ErrConflict)
}

func TestEmpty(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	for _, data := range [][]byte{nil, {}} {
		_, err := atomicfile.Write(t.Context(), path, data, backend.None)
		wantKind(t, err, backend.ErrInvalid)
	}
	wantAlone(t, filepath.Dir(path))
	if err := os.WriteFile(path, nil, 0o600); err != nil { // as Node and .NET leave it
		t.Fatal(err)
	}
	_, err := atomicfile.Read(path)
	wantKind(t, err, backend.ErrNotFound)
	if err := atomicfile.Remove(t.Context(), path, backend.None); err != nil {
		t.Errorf("remove: %v", err)
	}
	mustWrite(t, path, []byte("x"), backend.None)
}

func TestContextEnds(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := atomicfile.Write(ctx, path, []byte("x"), backend.None); !errors.Is(err, context.Canceled) {
		t.Errorf("write: %v", err)
	}
	v := mustWrite(t, path, []byte("x"), backend.None)
	if err := atomicfile.Remove(ctx, path, v); !errors.Is(err, context.Canceled) {
		t.Errorf("remove: %v", err)
	}
	wantAlone(t, filepath.Dir(path), "cache")
}

func TestModificationTimeAdvances(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	v := mustWrite(t, path, []byte("0"), backend.None)
	modified := func() time.Time {
		fi, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return fi.ModTime()
	}
	if d := time.Since(modified()).Abs(); d > time.Minute {
		t.Errorf("the first write is %s away from now", d)
	}
	last := modified()
	for i := range 100 { // many within one tick of the file system's clock
		v = mustWrite(t, path, []byte{byte(i)}, v)
		if now := modified(); now.Sub(last) < time.Millisecond {
			t.Fatalf("write %d: %s after %s", i, now, last)
		} else {
			last = now
		}
	}
	future := time.Now().Add(24 * time.Hour)
	if err := os.Chtimes(path, future, future); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, path, []byte("after"), v)
	if !modified().After(future) {
		t.Errorf("%s isn't after %s", modified(), future)
	}
}

func TestTouch(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	var last time.Time
	for i := range 10 {
		if i == 5 {
			if err := os.WriteFile(path, []byte("kept"), 0o600); err != nil {
				t.Fatal(err)
			}
			last = time.Time{} // that write set its own time
		}
		if err := atomicfile.Touch(path); err != nil {
			t.Fatal(err)
		}
		fi, err := os.Stat(path)
		if err != nil || !fi.ModTime().After(last) {
			t.Fatalf("touch %d: %v after %v, %v", i, fi.ModTime(), last, err)
		}
		last = fi.ModTime()
	}
	if got := string(mustRead(t, path).Data); got != "kept" {
		t.Errorf("content became %q", got)
	}
	wantKind(t, atomicfile.Touch(filepath.Dir(path)), backend.ErrInvalid)
	wantKind(t, atomicfile.Touch(filepath.Join(path+".no", "x")), backend.ErrUnavailable)
}

func TestMissingDirectory(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a", "b", "cache")
	_, err := atomicfile.Read(path)
	wantKind(t, err, backend.ErrNotFound)
	_, err = atomicfile.Write(t.Context(), path, []byte("x"), backend.None)
	wantKind(t, err, backend.ErrUnavailable)
	if err := atomicfile.Remove(t.Context(), path, backend.None); err != nil {
		t.Errorf("remove: %v", err)
	}
	if tightened, err := atomicfile.Prepare(path); err != nil || tightened {
		t.Fatalf("prepare: %t, %v", tightened, err)
	}
	mustWrite(t, path, []byte("x"), backend.None)
}

func TestBadLocations(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, path := range map[string]string{"empty": "", "directory": dir} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := atomicfile.Prepare(path)
			wantKind(t, err, backend.ErrInvalid)
			_, err = atomicfile.Read(path)
			wantKind(t, err, backend.ErrInvalid)
			_, err = atomicfile.Write(t.Context(), path, []byte("x"), backend.None)
			wantKind(t, err, backend.ErrInvalid)
		})
	}
	t.Cleanup(func() { wantAlone(t, dir) })
}

// A location may name a disk image by mistake.
func TestHugeFile(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	mustWrite(t, path, []byte("x"), backend.None)
	if err := os.Truncate(path, 1<<40); err != nil { // without blocks
		t.Fatal(err)
	}
	_, err := atomicfile.Read(path)
	wantKind(t, err, backend.ErrTooLarge)
	_, err = atomicfile.Write(t.Context(), path, []byte("y"), backend.None)
	wantKind(t, err, backend.ErrTooLarge)
	if fi, err := os.Stat(path); err != nil || fi.Size() != 1<<40 {
		t.Errorf("it was replaced: %v, %v", fi, err)
	}
	wantAlone(t, filepath.Dir(path), "cache")
}
