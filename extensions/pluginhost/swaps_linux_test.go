package pluginhost

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
)

// A thousand take some 10 seconds.
var swaps = flag.Int("swaps", 50, "how many starts TestSwappedAllTheTime makes while the binary is exchanged")

// TestSwappedAllTheTime: whatever is put in the place of a binary whose hash is
// known, and whenever, it never runs.
func TestSwappedAllTheTime(t *testing.T) {
	t.Parallel()
	for name, swap := range map[string]func(path, to string) error{
		"renamed over": func(path, to string) error {
			return errors.Join(os.Link(to, path+"~"), os.Rename(path+"~", path))
		},
		"symlink flipped": func(path, to string) error {
			return errors.Join(os.Symlink(to, path+"~"), os.Rename(path+"~", path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			mark := filepath.Join(dir, "mark")
			// A file of its own: renaming a link over another of the same file does nothing.
			path, good, evil := installed(t, dir, "store"), installed(t, dir, "good"), filepath.Join(dir, "evil")
			replaced(t, evil, evilScript(mark))
			h := newHost(t, &Options{AllowScripts: true, Dirs: []string{dir}, Hashes: map[string][]string{"store": {checked(t, good).sha256}}})
			h.around.offered = func(string) bool { return false }
			stop := swapper(t, func(to string) error { return swap(path, to) }, good, evil)
			outcomes := map[string]int{}
			for range *swaps {
				outcomes[outcomeOf(t, h)]++
			}
			stop()
			if exists(mark) {
				t.Errorf("the other binary ran: %v", outcomes)
			}
			// Swapping ends with the evil one in place, which would run.
			if err := exec.Command(path, "-test.run=^$").Run(); err != nil || !exists(mark) {
				t.Errorf("it doesn't run at all: %v", err)
			}
			if outcomes["its SHA-256"] == 0 {
				t.Errorf("the check never met it: %v", outcomes)
			}
			t.Log(outcomes)
		})
	}
}

func evilScript(mark string) string { return "#!/bin/sh\n/bin/touch " + mark + "\n" }

// swapper exchanges files until the function that it returns is called.
func swapper(t *testing.T, swap func(to string) error, good, evil string) func() {
	stop := make(chan struct{})
	var work sync.WaitGroup
	work.Go(func() {
		for {
			if err := errors.Join(swap(good), swap(evil)); err != nil {
				t.Error(err)
				return
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	return func() {
		close(stop)
		work.Wait()
	}
}

// outcomeOf starts the plugin, and says in a word what came of it.
func outcomeOf(t *testing.T, h *Host) string {
	t.Helper()
	p, err := h.find("store")
	if err == nil {
		var started *process
		if started, err = launch(t.Context(), p, &h.options, os.LookupEnv); err == nil {
			started.kill()
			<-started.gone
			return "started"
		}
	}
	r, ok := errors.AsType[*RefusedError](err)
	if !ok {
		t.Fatalf("error: %v", err)
	}
	for _, reason := range []string{"its SHA-256", "changed while it was being started"} {
		if strings.Contains(r.Reason, reason) {
			return reason
		}
	}
	return r.Reason
}

// TestRewrittenInPlace: the new content is in the very file that was checked, so
// it runs, and is ended before it hears anything.
func TestRewrittenInPlace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	real := installed(t, t.TempDir(), "store")
	note := filepath.Join(dir, "pid")
	path := filepath.Join(dir, fileName("store"))
	replaced(t, path, "#!/bin/sh\nexec "+real+"\n")
	h := newHost(t, &Options{AllowScripts: true, Dirs: []string{dir}, Hashes: map[string][]string{"store": {checked(t, path).sha256}}})
	h.around.offered = func(string) bool { return false }
	prog, err := h.find("store")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, fmt.Appendf(nil, "#!/bin/sh\necho $$ >%s\nexec %s\n", note, real), 0o755); err != nil {
		t.Fatal(err)
	}
	started(t, prog)
	text, err := os.ReadFile(note)
	if err != nil {
		t.Fatal("the new content didn't run, so this shows nothing")
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if there(pid) {
		t.Error("it still runs")
	}
}

// TestPlanted: a binary in a place that isn't one never runs, and would if it were
// started from there.
func TestPlanted(t *testing.T) {
	for name, plant := range map[string]func(t *testing.T, h *Host, dir string) (at string){
		"working directory": func(t *testing.T, _ *Host, dir string) string {
			t.Chdir(dir)
			return dir
		},
		"PATH": func(t *testing.T, _ *Host, dir string) string {
			t.Setenv("PATH", dir)
			return dir
		},
		"beside the executable": func(_ *testing.T, h *Host, dir string) string {
			h.around.executable = func() (string, error) { return filepath.Join(dir, "program"), nil }
			return dir
		},
		"environment that doesn't count": func(t *testing.T, _ *Host, dir string) string {
			t.Setenv(pluginDirEnv, dir)
			return dir
		},
		"world-writable directory": func(t *testing.T, h *Host, dir string) string {
			h.options.Dirs = []string{dir}
			if err := syscall.Chmod(dir, 0o777); err != nil {
				t.Fatal(err)
			}
			return dir
		},
		"behind a symlink": func(t *testing.T, h *Host, dir string) string {
			links := t.TempDir()
			h.options.Dirs = []string{links}
			if err := os.Symlink(filepath.Join(dir, fileName("x")), filepath.Join(links, fileName("x"))); err != nil {
				t.Fatal(err)
			}
			return links
		},
		"the user's directory, untrusted": func(t *testing.T, _ *Host, dir string) string {
			if err := errors.Join(os.MkdirAll(filepath.Dir(UserDir()), 0o700), os.Rename(dir, UserDir())); err != nil {
				t.Fatal(err)
			}
			return UserDir()
		},
		"the user's directory, trusted as another's": func(t *testing.T, _ *Host, dir string) string {
			other := filepath.Join(dir, fileName("y"))
			if err := os.Link(filepath.Join(dir, fileName("x")), other); err != nil {
				t.Fatal(err)
			}
			if _, err := Trust(t.Context(), other); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(os.MkdirAll(filepath.Dir(UserDir()), 0o700), os.Rename(dir, UserDir())); err != nil {
				t.Fatal(err)
			}
			return UserDir()
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := atHome(t, &Options{AllowScripts: true})
			dir := filepath.Join(t.TempDir(), "planted")
			mark := filepath.Join(filepath.Dir(dir), "mark")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			replaced(t, filepath.Join(dir, fileName("x")), evilScript(mark))
			at := plant(t, h, dir)
			_, err := h.Backend(t.Context(), "x")
			if !errors.Is(err, backend.ErrPluginNotFound) && !errors.Is(err, backend.ErrPluginRefused) {
				t.Errorf("error: %v", err)
			}
			h.Survey()
			if exists(mark) {
				t.Error("it ran")
			}
			if err := exec.Command(filepath.Join(at, fileName("x"))).Run(); err != nil || !exists(mark) {
				t.Errorf("it doesn't run at all: %v", err)
			}
		})
	}
}

// TestUsualHomes: what people have at home isn't refused.
func TestUsualHomes(t *testing.T) {
	for name, arrange := range map[string]func(t *testing.T){
		"nothing special": func(*testing.T) {},
		"umask 002": func(t *testing.T) {
			was := syscall.Umask(0o002)
			t.Cleanup(func() { syscall.Umask(was) })
		},
		"data directory elsewhere, by a symlink": func(t *testing.T) {
			home := os.Getenv("HOME")
			if err := errors.Join(os.Mkdir(home+"/.local", 0o755), os.Symlink(t.TempDir(), home+"/.local/share")); err != nil {
				t.Fatal(err)
			}
		},
		"under /tmp": func(t *testing.T) { t.Setenv("XDG_DATA_HOME", shortDir(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			from := copied(t, t.TempDir(), "store")
			h := atHome(t, nil)
			arrange(t)
			if _, err := Install(t.Context(), from, ""); err != nil {
				t.Fatal(err)
			}
			s, _ := mustOpen(t, h, "store")
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestSymlinkedProgram: the plugins beside a program are found through a symlink
// in a directory of PATH.
func TestSymlinkedProgram(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	beside := filepath.Join(base, "lib", "app")
	copied(t, filepath.Join(beside, "msalext-plugins"), "store")
	exe := filepath.Join(beside, "app")
	if out, err := exec.Command("cp", os.Args[0], exe).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	bin := filepath.Join(base, "bin")
	if err := errors.Join(os.Symlink(beside, filepath.Join(base, "current")), os.Mkdir(bin, 0o755), os.Symlink("../current/app", bin+"/app")); err != nil {
		t.Fatal(err)
	}
	cmd := runProgram(t, "beside")
	cmd.Path = bin + "/app"
	out, err := cmd.CombinedOutput()
	if want := filepath.Join(beside, "msalext-plugins", fileName("store")); err != nil || strings.TrimSpace(string(out)) != want+" <nil>" {
		t.Errorf("it said %s, %v; want %s", out, err, want)
	}
}

func init() {
	programs["beside"] = func() {
		h := New(nil)
		h.around.offered = func(string) bool { return false }
		found, err := h.Find("store")
		fmt.Println(found.Path, err)
	}
}
