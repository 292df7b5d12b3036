package pluginhost

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
)

// atHome gives the test a home of its own, and a host without plugins of its own.
func atHome(t *testing.T, o *Options) *Host {
	t.Helper()
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_DATA_HOME", "")
	t.Setenv("XDG_CACHE_HOME", "")
	h := newHost(t, o)
	h.around.offered = func(string) bool { return false }
	return h
}

func TestTrustStory(t *testing.T) {
	h := atHome(t, nil)
	download := copied(t, t.TempDir(), "store")
	if err := os.Chmod(download, 0o644); err != nil { // as browsers leave it
		t.Fatal(err)
	}
	got, err := Install(t.Context(), download, "")
	if err != nil || got.Name != "store" || got.Path != filepath.Join(UserDir(), fileName("store")) {
		t.Fatalf("installed %+v, %v", got, err)
	}
	if info, err := os.Stat(got.Path); err != nil || info.Mode() != 0o700 {
		t.Errorf("it is %v, %v", info.Mode(), err)
	}
	s, _ := mustOpen(t, h, "store")
	if exe, err := s.Load(t.Context(), "exe", ""); err != nil || string(exe.Data) != got.Path {
		t.Errorf("running %s, %v", exe.Data, err)
	}
	_ = s.Close()

	replaced(t, got.Path, "#!/bin/sh\n: another\n")
	refusedFor(t, h, "store", "it changed since it was trusted on ")
	if err := got.Verify(); !errors.Is(err, backend.ErrPluginRefused) || !strings.Contains(err.Error(), "plugins trust") {
		t.Errorf("verified: %v", err)
	}
	again, err := Trust(t.Context(), got.Path)
	if err != nil || again.SHA256 == got.SHA256 || again.Verify() != nil {
		t.Errorf("trusted %+v, %v", again, err)
	}
	h.options.AllowScripts = true
	refusedFor(t, h, "store", "")
	if all, err := TrustedPlugins(); err != nil || len(all) != 1 || all[0] != again {
		t.Errorf("trusted: %+v, %v", all, err)
	}
	if n, err := Untrust(t.Context(), "store", got.SHA256); n != 0 || err != nil {
		t.Errorf("took back %d, %v", n, err)
	}
	if n, err := Untrust(t.Context(), "store", ""); n != 1 || err != nil {
		t.Errorf("took back %d, %v", n, err)
	}
	refusedFor(t, h, "store", "isn't trusted")

	if path, err := Remove(t.Context(), "store"); path != got.Path || err != nil {
		t.Errorf("removed %s, %v", path, err)
	}
	if _, err := Remove(t.Context(), "store"); !errors.Is(err, backend.ErrPluginNotFound) {
		t.Errorf("removed twice: %v", err)
	}
	if err := again.Verify(); !errors.Is(err, backend.ErrPluginNotFound) {
		t.Errorf("verified: %v", err)
	}
	if _, err := h.Find("store"); !errors.Is(err, backend.ErrPluginNotFound) {
		t.Errorf("found: %v", err)
	}
}

// replaced puts a new file in the place of another, as an update does.
func replaced(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.WriteFile(path+"~", []byte(text), 0o755), os.Rename(path+"~", path)); err != nil {
		t.Fatal(err)
	}
}

// TestInstallReplaces: at no moment is there a binary that isn't trusted, and what
// was trusted before isn't any longer.
func TestInstallReplaces(t *testing.T) {
	h := atHome(t, &Options{AllowScripts: true})
	from := filepath.Join(t.TempDir(), fileName("x"))
	var last Trusted
	for _, version := range []string{"1", "2", "2", "3"} {
		replaced(t, from, "#!/bin/sh\n: "+version+"\n")
		var err error
		if last, err = Install(t.Context(), from, ""); err != nil {
			t.Fatal(err)
		}
		refusedFor(t, h, "x", "")
	}
	all, err := TrustedPlugins()
	if err != nil || len(all) != 1 || all[0] != last {
		t.Errorf("trusted: %+v, %v", all, err)
	}
	if entries, _ := os.ReadDir(UserDir()); len(entries) != 1 {
		t.Errorf("left: %v", entries)
	}
	if _, err := Install(t.Context(), from, strings.ToUpper(last.SHA256)); err != nil {
		t.Errorf("with its hash: %v", err)
	}
	if _, err := Install(t.Context(), from, strings.Repeat("0", 64)); !errors.Is(err, backend.ErrPluginRefused) {
		t.Errorf("with another hash: %v", err)
	}
	refusedFor(t, h, "x", "")
}

func TestInstallRefuses(t *testing.T) {
	atHome(t, nil)
	dir := t.TempDir()
	fifo, folder := filepath.Join(dir, fileName("fifo")), filepath.Join(dir, fileName("folder"))
	other := filepath.Join(dir, "store")
	if err := errors.Join(syscall.Mkfifo(fifo, 0o700), os.Mkdir(folder, 0o700), os.WriteFile(other, nil, 0o700)); err != nil {
		t.Fatal(err)
	}
	for path, kind := range map[string]error{
		fifo: backend.ErrInvalid, folder: backend.ErrInvalid, other: backend.ErrInvalid,
		filepath.Join(dir, fileName("../x")): backend.ErrInvalid, filepath.Join(dir, fileName("X")): backend.ErrInvalid,
		filepath.Join(dir, fileName("missing")): backend.ErrPluginNotFound,
	} {
		if _, err := Install(t.Context(), path, ""); !errors.Is(err, kind) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := Remove(t.Context(), "../store"); !errors.Is(err, backend.ErrInvalid) {
		t.Errorf("removed: %v", err)
	}
	t.Setenv("HOME", "")
	if _, err := Install(t.Context(), copied(t, dir, "store"), ""); !errors.Is(err, backend.ErrUnavailable) {
		t.Errorf("without a home: %v", err)
	}
}

// TestUnsafeUserDir: trust in a hash doesn't make up for a directory that others
// can write.
func TestUnsafeUserDir(t *testing.T) {
	h := atHome(t, &Options{AllowScripts: true})
	from := filepath.Join(t.TempDir(), fileName("x"))
	replaced(t, from, "#!/bin/sh\n")
	got, err := Install(t.Context(), from, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Chmod(UserDir(), 0o777); err != nil {
		t.Fatal(err)
	}
	refusedFor(t, h, "x", "written by everyone")
	if err := got.Verify(); err == nil {
		t.Error("verified")
	}
	if _, err := Install(t.Context(), from, ""); err == nil {
		t.Error("installed there once more")
	}
}

// TestRecordSpoiled: a record that isn't the user's alone, or not understood,
// trusts nothing, and stays as it is.
func TestRecordSpoiled(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(path string) error
		kind  error
	}{
		"damaged":   {func(p string) error { return os.WriteFile(p, []byte(`{"format":1,`), 0o600) }, backend.ErrCorrupt},
		"newer":     {func(p string) error { return os.WriteFile(p, []byte(`{"format":2,"plugins":[]}`), 0o600) }, backend.ErrCorrupt},
		"new field": {func(p string) error { return os.WriteFile(p, []byte(`{"format":1,"signers":[]}`), 0o600) }, backend.ErrCorrupt},
		"writable":  {func(p string) error { return syscall.Chmod(p, 0o666) }, backend.ErrDenied},
		"foreign":   {func(p string) error { return os.Chown(p, nobody, nobody) }, backend.ErrDenied},
	} {
		t.Run(name, func(t *testing.T) {
			h := atHome(t, &Options{AllowScripts: true})
			from := filepath.Join(t.TempDir(), fileName("x"))
			replaced(t, from, "#!/bin/sh\n")
			if _, err := Install(t.Context(), from, ""); err != nil {
				t.Fatal(err)
			}
			refusedFor(t, h, "x", "")
			record := filepath.Join(filepath.Dir(UserDir()), "trusted.json")
			if err := c.spoil(record); err != nil {
				t.Fatal(err)
			}
			before, _ := os.ReadFile(record)
			refusedFor(t, h, "x", "can't be checked")
			if _, err := TrustedPlugins(); !errors.Is(err, c.kind) {
				t.Errorf("read: %v", err)
			}
			if _, err := Trust(t.Context(), from); !errors.Is(err, c.kind) {
				t.Errorf("trusted: %v", err)
			}
			if after, _ := os.ReadFile(record); string(after) != string(before) {
				t.Errorf("it is %s now", after)
			}
		})
	}
}

// TestTrustTogether: programs that trust at once lose nothing.
func TestTrustTogether(t *testing.T) {
	atHome(t, nil)
	dir := t.TempDir()
	var work sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		path := filepath.Join(dir, fileName(name))
		replaced(t, path, "#!/bin/sh\n: "+name+"\n")
		work.Go(func() {
			if _, err := Trust(t.Context(), path); err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	if all, err := TrustedPlugins(); len(all) != 6 || err != nil {
		t.Errorf("trusted: %+v, %v", all, err)
	}
}
