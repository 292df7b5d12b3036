package pluginhost

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
)

func TestSwapBetweenCheckAndStart(t *testing.T) {
	t.Parallel()
	t.Run("renamed over", func(t *testing.T) {
		dir := t.TempDir()
		path := installed(t, dir, "store")
		prog, err := open(candidate{name: "store", path: path})
		if err != nil {
			t.Fatal(err)
		}
		defer prog.Close()
		evil := filepath.Join(dir, "evil")
		mark := filepath.Join(dir, "mark")
		if err := os.WriteFile(evil, []byte("#!/bin/sh\n/bin/touch "+mark+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(evil, path); err != nil {
			t.Fatal(err)
		}
		started(t, prog)
		if _, err := os.Stat(mark); err == nil {
			t.Error("the other binary ran")
		}
		if exec.Command(path).Run() != nil {
			t.Error("the other binary doesn't run at all")
		}
		if _, err := os.Stat(mark); err != nil {
			t.Error("the other binary would have left no mark")
		}
	})
	t.Run("touched", func(t *testing.T) {
		prog, err := open(candidate{name: "store", path: installed(t, t.TempDir(), "store")})
		if err != nil {
			t.Fatal(err)
		}
		defer prog.Close()
		if err := os.Chmod(prog.path, 0o700); err != nil {
			t.Fatal(err)
		}
		started(t, prog)
	})
}

// started starts what has changed, which must be refused.
func started(t *testing.T, prog *program) {
	t.Helper()
	o := (*Options)(nil).filled()
	p, err := launch(t.Context(), prog, &o, os.LookupEnv)
	if p != nil {
		p.kill()
		<-p.gone
	}
	if r, ok := errors.AsType[*RefusedError](err); !ok || !strings.Contains(r.Reason, "changed") {
		t.Errorf("error: %v", err)
	}
}

func TestInstalledBinary(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	installed(t, dir, "store")
	h := newHost(t, &Options{Dirs: []string{dir}})
	h.around.offered = func(string) bool { return false }
	if found, err := h.Find("store"); err != nil || found.Self || filepath.Dir(found.Path) != dir {
		t.Errorf("found %+v, %v", found, err)
	}
	s, _ := mustOpen(t, h, "store")
	exe, err := s.Load(t.Context(), "exe", "")
	if err != nil || filepath.Dir(string(exe.Data)) != dir {
		t.Errorf("running %s, %v", exe.Data, err)
	}
}

func TestInstalledScript(t *testing.T) {
	t.Parallel()
	dir, bin := t.TempDir(), t.TempDir()
	real := installed(t, bin, "store")
	for name, c := range map[string]struct {
		script      string
		allowed, ok bool
	}{
		"with exec":    {"#!/bin/sh\nexec " + real + "\n", true, true},
		"without exec": {"#!/bin/sh\n" + real + "\ntrue\n", true, false},
		"not allowed":  {"#!/bin/sh\nexec " + real + "\n", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(dir, fileName("store")), []byte(c.script), 0o755); err != nil {
				t.Fatal(err)
			}
			h := newHost(t, &Options{Dirs: []string{dir}, AllowScripts: c.allowed})
			h.around.offered = func(string) bool { return false }
			_, err := h.Backend(t.Context(), "store")
			if c.ok && err != nil {
				t.Errorf("error: %v", err)
			}
			if !c.ok && !errors.Is(err, backend.ErrPluginRefused) {
				t.Errorf("error: %v", err)
			}
		})
	}
}

// TestUnprivileged is a host that isn't root's: its own plugin runs, that of a
// third user doesn't. Where all must be root's, its own doesn't either.
func TestUnprivileged(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	parent := filepath.Dir(base)
	for _, dir := range []string{parent, base} { // the testing package makes the outer one for root alone
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	exe := installed(t, base, "program")
	for name, uid := range map[string]int{"own": nobody, "thirds": 1, "roots": 0} {
		dir := filepath.Join(base, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{installed(t, dir, "store"), dir} {
			if err := os.Chown(path, uid, uid); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct{ name, place, want string }{
		{"own", "", "<nil>"}, {"roots", "", "<nil>"}, {"thirds", "", "belongs to user 1"},
		{"own", "system", "belongs to user 65534"}, {"roots", "system", "<nil>"},
		{"own", "elevated", "belongs to user 65534"}, {"roots", "elevated", "<nil>"},
	} {
		name, want := c.name, c.want
		tmp := filepath.Join(base, "tmp-"+name+c.place)
		if err := errors.Join(os.Mkdir(tmp, 0o700), os.Chown(tmp, nobody, nobody)); err != nil {
			t.Fatal(err)
		}
		cmd := runProgram(t, "installed", "TMPDIR="+tmp, "XDG_RUNTIME_DIR=", "HOME="+tmp,
			"PLUGINHOST_TEST_PLACE="+c.place, "PLUGINHOST_TEST_DIR="+filepath.Join(base, name), "PLUGINHOST_TEST_PATH="+filepath.Join(tmp, "data"))
		cmd.Path, cmd.Dir = exe, tmp
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%+v: %v: %s", c, err, out)
		}
		direct := exec.Command(filepath.Join(base, name, fileName("store")), "-test.run=^$")
		direct.Dir = tmp
		direct.SysProcAttr = cmd.SysProcAttr
		if out, err := direct.CombinedOutput(); err != nil {
			t.Errorf("%s doesn't run at all: %v: %s", name, err, out)
		}
	}
}

func TestNotAProgram(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, fileName("store")), []byte("\x7fELF nothing"), 0o755); err != nil {
		t.Fatal(err)
	}
	h := newHost(t, &Options{Dirs: []string{dir}})
	h.around.offered = func(string) bool { return false }
	_, err := h.Backend(t.Context(), "store")
	if !errors.Is(err, backend.ErrPluginRefused) || !strings.Contains(err.Error(), "exec format error") {
		t.Errorf("error: %v", err)
	}
}

// installed copies the test binary as a plugin into a directory.
func installed(t *testing.T, dir, name string) string {
	t.Helper()
	path := filepath.Join(dir, fileName(name))
	// A file that this process has written can't be executed as long as any
	// process that is being forked holds it open.
	if out, err := exec.Command("cp", os.Args[0], path).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}
