package atomicfile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
	"github.com/msalext/msalext/internal/testproc"
)

func init() { children["list beside others"] = listBesideOthers }

// TestFilesOfOthersDontSpoilTheList: in a directory such as /tmp everybody can
// put files, also such as are named by a hash.
func TestFilesOfOthersDontSpoilTheList(t *testing.T) {
	t.Parallel()
	dir := testproc.SharedDir(t)
	path := filepath.Join(dir, "cache")
	planted := backend.PathFor(path, longKey)
	for _, err := range []error{
		os.WriteFile(planted, []byte("planted"), 0o644), os.WriteFile(planted+".name", []byte(longKey+"x"), 0o644),
		os.Symlink("/etc/passwd", backend.PathFor(path, "link")), os.Chmod(dir, 0o1777),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	testproc.Run(t, testproc.AsNobody(testproc.Command(t, "list beside others", path)))
}

func listBesideOthers(args []string) error {
	path := args[0]
	if _, err := os.ReadFile(backend.PathFor(path, longKey)); err != nil {
		return fmt.Errorf("the test proves nothing: %w", err)
	}
	if _, err := atomicfile.WriteItem(background, path, "mine", []byte("x"), backend.None); err != nil {
		return err
	}
	var found []string
	for info, err := range atomicfile.Keys(background, path, "") {
		if err != nil {
			return err
		}
		found = append(found, info.Key)
	}
	if len(found) != 1 || found[0] != "mine" {
		return fmt.Errorf("listed %q", found)
	}
	// In their place nothing of ours is stored.
	_, err := atomicfile.WriteItem(background, path, longKey, []byte("x"), backend.None)
	return want(err, backend.ErrDenied)
}

// TestLinksAreNotFollowed: neither where a key should be kept, which is then
// kept anew, nor where an item should be.
func TestLinksAreNotFollowed(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	v := mustWriteItem(t, path, longKey)
	kept, elsewhere := backend.PathFor(path, longKey)+".name", filepath.Join(t.TempDir(), "elsewhere")
	for _, err := range []error{
		os.Rename(kept, elsewhere), os.Symlink(elsewhere, kept), os.Symlink(elsewhere, backend.PathFor(path, "link")),
		os.WriteFile(filepath.Join(filepath.Dir(path), "cache.key-A"), []byte("x"), 0o600), // no key is written so
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	keys, err := listed(t, path, "")
	if len(keys) > 0 {
		t.Errorf("listed %q", keys)
	}
	wantKind(t, err, backend.ErrCorrupt)
	if _, err := atomicfile.WriteItem(t.Context(), path, longKey, []byte("item "+longKey), v); err != nil {
		t.Fatal(err)
	}
	wantListed(t, path, "", longKey)
	if got, err := os.ReadFile(elsewhere); err != nil || string(got) != longKey {
		t.Errorf("the file behind the link became %q, %v", got, err)
	}
}

// TestLetterCaseOfALocation: two locations whose names differ in case are two
// where the file system says so.
func TestLetterCaseOfALocation(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	upper := filepath.Join(filepath.Dir(path), "CACHE")
	mustWriteItem(t, path, "lower")
	mustWriteItem(t, path, "both")
	mustWriteItem(t, upper, "upper")
	mustWriteItem(t, upper, "both")
	wantListed(t, path, "", "lower", "both")
	wantListed(t, upper, "", "upper", "both")
}
