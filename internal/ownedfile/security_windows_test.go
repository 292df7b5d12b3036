package ownedfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/windows"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/ownedfile"
)

func TestCreatedForTheUserAlone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new")
	if err := ownedfile.MkdirAll(dir); err != nil {
		t.Fatal(err)
	}
	f, err := ownedfile.CreateTemp(filepath.Join(dir, "cache"))
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, f.Name()} {
		sd, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
		if err != nil {
			t.Fatal(err)
		}
		text := sd.String()
		owner, _, err := sd.Owner()
		if err != nil || !owner.Equals(user.User.Sid) {
			t.Errorf("%s: owner of %s, %v", path, text, err)
		}
		text = strings.ReplaceAll(text, "(A;OICI;FA;;;SY)", "") // Wine adds the system itself
		text = strings.ReplaceAll(text, "(A;;FA;;;SY)", "")
		if strings.Count(text, "(") != 1 || !strings.Contains(text, ";"+user.User.Sid.String()+")") {
			t.Errorf("%s: others have access: %s", path, text)
		}
	}
}

func TestHardLinkIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cache")
	write(t, path, 0o600)
	if err := os.Link(path, path+".two"); err != nil {
		t.Fatal(err)
	}
	_, err := ownedfile.Open(path, os.O_RDONLY)
	wantKind(t, err, backend.ErrDenied)
}
