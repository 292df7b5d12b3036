package pluginhost

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/testproc"
)

// nobody is another user than the one who runs the tests, who is root.
const nobody = 65534

// A scene is a directory with a plugin in it, that a case then spoils.
type scene struct {
	t    *testing.T
	base string // of mode 0755, root's
	dir  string // the plugins' directory in it
	file string
}

func newScene(t *testing.T) scene {
	t.Helper()
	base := t.TempDir()
	s := scene{t: t, base: base, dir: filepath.Join(base, "way", "plugins")}
	s.file = filepath.Join(s.dir, fileName("x"))
	s.must(os.MkdirAll(s.dir, 0o755))
	s.must(os.WriteFile(s.file, []byte("#!/bin/sh\n"), 0o755))
	return s
}

func (s scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s scene) chmod(path string, mode uint32) { s.must(syscall.Chmod(path, mode)) }

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		spoil  func(s scene)
		reason string // empty: it is accepted
	}{
		"nothing wrong":           {func(scene) {}, ""},
		"owner is somebody":       {func(s scene) { s.must(os.Chown(s.file, nobody, 0)) }, "belongs to user 65534"},
		"file everyone can write": {func(s scene) { s.chmod(s.file, 0o757) }, "written by everyone"},
		"file a group can write": {func(s scene) {
			s.must(os.Chown(s.file, 0, nobody))
			s.chmod(s.file, 0o775)
		}, "written by group"},
		"file root's group can write": {func(s scene) { s.chmod(s.file, 0o775) }, ""},
		"set-uid":                     {func(s scene) { s.chmod(s.file, 0o4755) }, "set-uid"},
		"set-gid":                     {func(s scene) { s.chmod(s.file, 0o2755) }, "set-gid"},
		"not executable":              {func(s scene) { s.chmod(s.file, 0o644) }, "executable"},
		"directory in its place": {func(s scene) {
			s.must(os.Remove(s.file))
			s.must(os.Mkdir(s.file, 0o755))
		}, "regular"},
		"FIFO in its place": {func(s scene) {
			s.must(os.Remove(s.file))
			s.must(syscall.Mkfifo(s.file, 0o755))
		}, "regular"},
		"directory of somebody":         {func(s scene) { s.must(os.Chown(s.dir, nobody, 0)) }, "belongs to user 65534"},
		"directory everyone can write":  {func(s scene) { s.chmod(s.dir, 0o777) }, "written by everyone"},
		"directory sticky for everyone": {func(s scene) { s.chmod(s.dir, 0o1777) }, "written by everyone"},
		"ancestor everyone can write":   {func(s scene) { s.chmod(filepath.Dir(s.dir), 0o777) }, "written by everyone"},
		"ancestor a group can write": {func(s scene) {
			s.must(os.Chown(filepath.Dir(s.dir), 0, nobody))
			s.chmod(filepath.Dir(s.dir), 0o775)
		}, "written by group"},
		"ancestor sticky and root's": {func(s scene) { s.chmod(filepath.Dir(s.dir), 0o1777) }, ""},
		"ancestor sticky and somebody's": {func(s scene) {
			s.must(os.Chown(filepath.Dir(s.dir), nobody, 0))
			s.chmod(filepath.Dir(s.dir), 0o1777)
		}, "belongs to user 65534"},
		"symlink inside the directory": {func(s scene) {
			s.must(os.Rename(s.file, s.file+"-1.2"))
			s.must(os.Symlink(fileName("x")+"-1.2", s.file))
		}, ""},
		"symlink out of the directory": {func(s scene) {
			s.must(os.Rename(s.file, filepath.Join(s.base, "x")))
			s.must(os.Symlink("../../x", s.file))
		}, "symlink out of its directory"},
		"absolute symlink out of the directory": {func(s scene) {
			s.must(os.Remove(s.file))
			s.must(os.Symlink("/bin/true", s.file))
		}, "symlink out of its directory"},
		"symlinks in a circle": {func(s scene) {
			s.must(os.Remove(s.file))
			s.must(os.Symlink(fileName("x"), s.file))
		}, "can't be checked"},
		"directory is a safe symlink": {func(s scene) {
			s.must(os.Rename(s.dir, s.dir+"-real"))
			s.must(os.Symlink(s.dir+"-real", s.dir))
		}, ""},
		"directory is somebody's symlink": {func(s scene) {
			s.must(os.Rename(s.dir, s.dir+"-real"))
			s.must(os.Symlink(s.dir+"-real", s.dir))
			s.must(os.Lchown(s.dir, nobody, 0))
		}, "a symlink on the way, belongs to user 65534"},
		"symlink by way of an unsafe directory": {func(s scene) {
			hop := filepath.Join(s.base, "hop")
			s.must(os.Mkdir(hop, 0o755))
			s.chmod(hop, 0o777)
			s.must(os.Rename(s.file, s.file+"-1"))
			s.must(os.Symlink(s.file+"-1", filepath.Join(hop, "x")))
			s.must(os.Symlink(filepath.Join(hop, "x"), s.file))
		}, "written by everyone"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			c.spoil(s)
			p, err := found(&Options{Dirs: []string{s.dir}}, bare())
			check(t, p, err, c.reason)
			if err := exec.Command(s.file).Run(); (err == nil) == unfit[name] {
				t.Errorf("started without a check, it would have run: %v", err)
			}
		})
	}
}

// unfit are the refusals of what the system wouldn't execute either.
var unfit = map[string]bool{
	"not executable": true, "directory in its place": true, "FIFO in its place": true, "symlinks in a circle": true,
}

func init() { programs["noexec"] = programNoexec }

// programNoexec looks for a plugin on a file system that runs no programs.
func programNoexec() {
	dir := os.Getenv("PLUGINHOST_TEST_DIR")
	file := filepath.Join(dir, fileName("x"))
	err := errors.Join(
		syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""),
		syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_NOEXEC, "mode=0755"),
		os.WriteFile(file, []byte("#!/bin/sh\n"), 0o755))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("run:", exec.Command(file).Run())
	_, err = found(&Options{Dirs: []string{dir}}, bare())
	fmt.Println("found:", err)
}

func TestNoexec(t *testing.T) {
	t.Parallel()
	cmd := testproc.WithOwnMounts(runProgram(t, "noexec", "PLUGINHOST_TEST_DIR="+t.TempDir()))
	out := testproc.Run(t, cmd)
	_, said, _ := strings.Cut(out, "found: ")
	if !strings.Contains(out, "permission denied\nfound: ") || !strings.Contains(said, "noexec") || strings.Contains(said, "chmod") {
		t.Errorf("it said %s", out)
	}
}

// bare is a system without any directory of its own.
func bare() surroundings {
	return surroundings{
		executable: func() (string, error) { return "", os.ErrNotExist },
		userData:   func() string { return "" },
		cacheDir:   func() string { return "" },
		lookupEnv:  func(string) (string, bool) { return "", false },
		offered:    func(string) bool { return false },
	}
}

func found(o *Options, s surroundings) (*program, error) { return s.find(o, "x") }

func check(t *testing.T, p *program, err error, reason string) {
	t.Helper()
	if p != nil {
		p.Close()
	}
	if reason == "" {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	r, ok := errors.AsType[*RefusedError](err)
	if !ok || !errors.Is(err, backend.ErrPluginRefused) || !strings.Contains(r.Reason, reason) {
		t.Errorf("error: %v; want one that says %q", err, reason)
	}
}

// TestPrivateGroup reads account files of several systems.
func TestPrivateGroup(t *testing.T) {
	const users = "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/:\nbob:x:1001:1001::/:\ncarl:x:1002:100::/:\ndora:x:1003:1001::/:\nbroken\n"
	const groups = "root:x:0:\nann:x:1000:ann\nusers:x:100:\nbob:x:1001:\ncarl:x:1002:ann\n"
	for _, c := range []struct {
		gid, owner uint32
		want       bool
	}{
		{0, 0, true}, {1000, 1000, true}, {1000, 0, false}, {1001, 1001, false},
		{100, 1002, false}, {1002, 1002, false}, {5, 1000, false},
	} {
		if got := alone([]byte(users), []byte(groups), c.gid, c.owner); got != c.want {
			t.Errorf("group %d of user %d: %v", c.gid, c.owner, got)
		}
	}
	if alone([]byte("a:x:5:6::/:\n"), []byte("a:x:6:a,b\n"), 6, 5) {
		t.Error("a group with a second member")
	}
}
