package filelock

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/msalext/msalext/internal/ownedfile"
)

func TestWriter(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cache")
	stamp := ownedfile.Stamp{Mtime: 1_000_000_001, Size: 100}
	want := func(what, in string, s ownedfile.Stamp) {
		t.Helper()
		who, err := Writer(path, s)
		if err != nil || (in == "") != (who == "") || !strings.Contains(who, in) {
			t.Errorf("%s: %q, %v", what, who, err)
		}
	}
	want("nobody wrote", "", stamp)
	NoteWriter(path, stamp)
	want("this process", "process "+strconv.Itoa(os.Getpid()), stamp)
	want("another size since", "", ownedfile.Stamp{Mtime: stamp.Mtime, Size: 99})
	want("another time since", "", ownedfile.Stamp{Mtime: stamp.Mtime + 1, Size: 100})

	// Whoever queues doesn't disturb the note, nor the note the queue.
	queue, err := enterQueue(path+queueSuffix, false)
	if err != nil {
		t.Fatal(err)
	}
	stamp.Mtime++
	NoteWriter(path, stamp)
	want("while somebody queues", "process", stamp)
	if err := queue.Close(); err != nil {
		t.Fatal(err)
	}

	for _, rubbish := range []string{"", "\x00", "\x00" + mark(stamp), "\x00" + mark(stamp) + "1 x", "\x00\n"} {
		if err := os.WriteFile(path+queueSuffix, []byte(rubbish), 0o600); err != nil {
			t.Fatal(err)
		}
		want("half a note", "", stamp)
	}
}
