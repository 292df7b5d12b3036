package persist

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
	"github.com/msalext/msalext/internal/testproc"
	"github.com/msalext/msalext/plugins/file"
	"golang.org/x/sys/unix"
)

// TestWatchSeesPeersInOtherProcesses has each kind of writer change the file
// from a process of its own.
func TestWatchSeesPeersInOtherProcesses(t *testing.T) {
	t.Parallel()
	for name := range waysToWrite {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := tempPath(t)
			p, _ := onDisk(t, path)
			p.opening.store.pace.net = time.Hour
			save(t, p, string(cacheOf("ann")))
			ch := changes(t, p)
			for _, who := range []string{"bob", "joe", "ann"} { // names of one length keep the size
				content := cacheOf(who)
				testproc.Run(t, testproc.Command(t, "write", name, path, string(content)))
				until(t, ch, atomicfile.VersionOf(content))
			}
			for range 3 {
				testproc.Run(t, testproc.Command(t, "touch", path))
			}
			none(t, ch) // a new time and the same content is no change
		})
	}
}

// Not parallel: it counts what the process has open.
func TestWatchLeavesNothingBehind(t *testing.T) {
	path := tempPath(t)
	mine, theirs := first(onDisk(t, path)), first(onDisk(t, path))
	save(t, theirs, "x")
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		var all []<-chan Change
		for i := range 20 {
			ch, err := mine.Key(strings.Repeat("k", i)).Watch(ctx)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, ch)
		}
		save(t, theirs, fmt.Sprint("now ", time.Now()))
		next(t, all[0])
		if n := openFiles(t); n <= files {
			t.Errorf("%d files before, and %d while it watches: this test sees nothing", files, n)
		}
		cancel()
		for _, ch := range all {
			for range ch {
			}
		}
		if n := openFiles(t); n != files {
			t.Errorf("%d files were open before, %d after", files, n)
		}
		eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines })
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// The limit of a user's inotify instances is reached, really.
func TestWatchWithoutInotify(t *testing.T) {
	t.Parallel()
	dir := testproc.SharedDir(t)
	if os.Geteuid() == 0 {
		if err := os.Chown(dir, testproc.Nobody, testproc.Nobody); err != nil {
			t.Fatal(err)
		}
	}
	out := testproc.Run(t, testproc.AsNobody(testproc.Command(t, "exhausted", filepath.Join(dir, "cache"))))
	if strings.Count(out, "level=WARN") != 1 || !strings.Contains(out, unix.EMFILE.Error()) {
		t.Errorf("logged %q", out)
	}
}

func init() { children["exhausted"] = exhaustedChild }

// exhaustedChild uses up the user's inotify instances and watches all the same.
func exhaustedChild(args []string) error {
	n := 0
	for err := error(nil); err == nil; n++ {
		_, err = unix.InotifyInit1(unix.IN_CLOEXEC)
		if err != nil && !errors.Is(err, unix.EMFILE) {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), room)
	defer cancel()
	c := backend.Config{Location: args[0], Path: args[0]}
	store, err := file.Backend().Open(ctx, c)
	if err != nil {
		return err
	}
	p := New("file", store, c, &Options{Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	ch, err := p.Watch(ctx)
	if err != nil {
		return err
	}
	for i := range 3 {
		content := []byte(fmt.Sprint("peer ", i))
		if err := os.WriteFile(args[0], content, 0o600); err != nil {
			return err
		}
		for c := range ch {
			if c.Version == atomicfile.VersionOf(content) {
				break
			}
		}
		if ctx.Err() != nil {
			return fmt.Errorf("change %d wasn't told, with %d instances", i, n)
		}
	}
	return nil
}
