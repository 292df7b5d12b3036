package pluginhost

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"github.com/msalext/msalext/extensions/backend"
)

// installed copies the test binary, as a plugin, to a directory.
func installed(t *testing.T, dir, name string) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	from, err := os.Open(exe)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	path := filepath.Join(dir, fileName(name))
	to, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// allow sets an access list in SDDL. SY and BA are the system and its
// administrators, WD is everyone, OW the owner.
func allow(t *testing.T, path, list string) {
	t.Helper()
	sd, err := windows.SecurityDescriptorFromString("D:P" + list)
	if err != nil {
		t.Fatal(err)
	}
	acl, _, err := sd.DACL()
	if err != nil {
		t.Fatal(err)
	}
	err = windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT,
		windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, acl, nil)
	if err != nil {
		t.Fatal(err)
	}
}

func me(t *testing.T) string {
	t.Helper()
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		t.Fatal(err)
	}
	return user.User.Sid.String()
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

func TestRefusals(t *testing.T) {
	mine := "(A;;FA;;;" + me(t) + ")"
	for name, c := range map[string]struct {
		spoil  func(t *testing.T, dir, file string)
		reason string // empty: it isn't refused
	}{
		"mine": {func(t *testing.T, dir, file string) { allow(t, dir, mine); allow(t, file, mine) }, ""},
		"others may read": {func(t *testing.T, dir, file string) {
			allow(t, dir, mine+"(A;;FRFX;;;WD)")
			allow(t, file, mine+"(A;;FRFX;;;WD)")
		}, ""},
		"others may write the file":        {func(t *testing.T, _, file string) { allow(t, file, mine+"(A;;FRFWFX;;;WD)") }, "can be changed by S-1-1-0"},
		"others may write the directory":   {func(t *testing.T, dir, _ string) { allow(t, dir, mine+"(A;;FRFWFX;;;WD)") }, "can be changed by S-1-1-0"},
		"others may replace the directory": {func(t *testing.T, dir, _ string) { allow(t, filepath.Dir(dir), mine+"(A;;FA;;;WD)") }, "can be changed by S-1-1-0"},
		"a directory": {func(t *testing.T, _, file string) {
			if err := errors.Join(os.Remove(file), os.Mkdir(file, 0o700)); err != nil {
				t.Fatal(err)
			}
		}, "regular file"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "way", "plugins")
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			c.spoil(t, dir, installed(t, dir, "store"))
			h := newHost(t, &Options{Dirs: []string{dir}})
			h.around.offered = func(string) bool { return false }
			_, err := h.Find("store")
			if c.reason == "" {
				if err != nil {
					t.Errorf("error: %v", err)
				}
				return
			}
			if !errors.Is(err, backend.ErrPluginRefused) || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("error: %v", err)
			}
		})
	}
}

// What was checked stays what it is until the start is over.
func TestCheckedBinaryStays(t *testing.T) {
	t.Parallel()
	path := installed(t, t.TempDir(), "store")
	prog, err := open(candidate{name: "store", path: path})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("x"), 0o600); !errors.Is(err, windows.ERROR_SHARING_VIOLATION) {
		t.Errorf("writing it: %v", err)
	}
	if err := os.Rename(path, path+".old"); !errors.Is(err, windows.ERROR_SHARING_VIOLATION) {
		t.Errorf("renaming it: %v", err)
	}
	prog.Close()
	if err := os.Rename(path, path+".old"); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestMark: a hash is remembered with a mark that no change leaves as it was, also
// where the time of writing is put back.
func TestMark(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), fileName("x"))
	past := time.Now().Add(-time.Hour)
	write := func(text string) string {
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o755), os.Chtimes(path, past, past)); err != nil {
			t.Fatal(err)
		}
		p, err := open(candidate{name: "x", path: path})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		mark, changed := p.mark()
		if mark == "" || time.Since(changed).Abs() > time.Hour/2 {
			t.Fatalf("mark %q, changed %v", mark, changed)
		}
		return mark
	}
	first := write("one")
	eventually(t, "the file system's clock goes on", func() bool { return write("two") != first })
}
