package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"msalext": main})
}

// Each script is a story of a command, told as a person would run it.
func TestScripts(t *testing.T) {
	t.Parallel()
	tell(t, "testdata/script")
}

// tell runs the stories in a directory, each in a home of its own.
func tell(t *testing.T, dir string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.ReadFile("../../extensions/tokencache/testdata/msal-python.json")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.Getenv("WORK"))
			e.Setenv("MSALEXT", self)
			return os.WriteFile(filepath.Join(e.WorkDir, "python.json"), cache, 0o600)
		},
	})
}
