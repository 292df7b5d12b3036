package pluginhost

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/extensions/backend"
)

func TestSurvey(t *testing.T) {
	h := atHome(t, nil)
	first, second, system := t.TempDir(), t.TempDir(), t.TempDir()
	here := copied(t, first, "store")
	shadowed := copied(t, second, "store")
	replaced(t, filepath.Join(second, fileName("script")), "#!/bin/sh\n")
	replaced(t, filepath.Join(second, fileName("NoName")), "#!/bin/sh\n")
	fifo := filepath.Join(system, fileName("fifo"))
	if err := syscall.Mkfifo(fifo, 0o755); err != nil {
		t.Fatal(err)
	}
	trusted, err := Install(t.Context(), here, "")
	if err != nil {
		t.Fatal(err)
	}
	other := copied(t, UserDir(), "other")
	named := copied(t, t.TempDir(), "named")
	h.options.Plugins = map[string]Binary{"named": {Path: named, SHA256: "00"}}
	h.options.Dirs = []string{first, second, filepath.Join(first, "missing"), "relative"}
	h.around.system = []string{system}
	h.around.offered = func(name string) bool { return name == "other" }
	t.Chdir(first)
	copied(t, "relative", "store")

	var got []string
	for _, i := range h.Survey() {
		got = append(got, told(t, i, trusted))
	}
	want := []string{
		named + ": known, refused: its SHA-256 is " + trusted.SHA256 + ", which isn't the one expected",
		here + ": known, trusted",
		filepath.Join(second, fileName("script")) + ": known, refused: it is a script, and its hash would say nothing of the interpreter and the files that it runs",
		shadowed + ": known, trusted, behind " + here,
		"relative/" + fileName("store") + ": behind " + here + ", refused: its directory, from Options.Dirs, is a relative path",
		fifo + ": refused: it isn't a regular file",
		other + ": known, the program itself, refused: it lies in the user's own directory and its hash isn't trusted, which can be changed",
		trusted.Path + ": known, trusted, behind " + here,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	h.options.Policy = InProcessOnly
	for _, i := range h.Survey() {
		if i.Refusal == nil || !strings.Contains(i.Refusal.Error(), "no plugin may run here") || i.Untrusted {
			t.Errorf("%s: %v", i.Path, i.Refusal)
		}
	}
}

// told puts what was found in words.
func told(t *testing.T, i Installed, trusted Trusted) string {
	t.Helper()
	var words []string
	say := func(is bool, word string) {
		if is {
			words = append(words, word)
		}
	}
	say(i.SHA256 != "", "known")
	say(i.Trusted != nil && *i.Trusted == trusted, "trusted")
	say(i.Self, "the program itself")
	say(i.ShadowedBy != "", "behind "+i.ShadowedBy)
	if i.Refusal != nil {
		r, ok := errors.AsType[*RefusedError](i.Refusal)
		if !ok {
			t.Fatalf("%s: %v", i.Path, i.Refusal)
		}
		say(true, "refused: "+r.Reason)
	}
	say(i.Untrusted, "which can be changed")
	return i.Path + ": " + strings.Join(words, ", ")
}

func TestInspect(t *testing.T) {
	h := atHome(t, nil)
	path := copied(t, t.TempDir(), "store")
	if i, err := h.Inspect(path); err != nil || i.Refusal != nil || i.Trusted != nil || len(i.SHA256) != 64 || i.Name != "store" {
		t.Errorf("found %+v, %v", i, err)
	}
	if i, err := h.Inspect(copied(t, UserDir(), "store")); err != nil || !i.Untrusted {
		t.Errorf("found %+v, %v", i, err)
	}
	if _, err := h.Inspect(path + ".old"); !errors.Is(err, backend.ErrInvalid) {
		t.Errorf("error: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Inspect(path); !errors.Is(err, backend.ErrPluginNotFound) {
		t.Errorf("error: %v", err)
	}
}
