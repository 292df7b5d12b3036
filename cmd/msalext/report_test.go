package main

import (
	"errors"
	"fmt"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
)

func TestAsFlags(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`give them in Options.Settings["libsecret"]`:                                          "give them as settings with --set",
		`use one that it knows (file), or give Options.Settings["redis"], which may be empty`: "use one that it knows (file), or give settings with --set",
		"choose a target that encrypts, or set MigrateOptions.AllowPlaintext":                 "choose a target that encrypts, or pass --allow-plaintext",
		"migrate to another location with DeleteSource, and from there back":                  "migrate to another location with --delete-source, and from there back",
		"run: chmod 600 x": "run: chmod 600 x",
	} {
		if got := asFlags(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestCodes(t *testing.T) {
	t.Parallel()
	for _, kind := range backend.Kinds() {
		code := codeOf(fmt.Errorf("wrapped: %w", &backend.Error{Kind: kind}))
		if _, known := exitOf[kind]; known != (code != exitFailed) {
			t.Errorf("%v: exit code %d", kind, code)
		}
	}
	if code := codeOf(errors.New("x")); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	told := map[int]bool{}
	for _, e := range exitTexts {
		told[e.code] = true
	}
	for kind, code := range exitOf {
		if !told[code] {
			t.Errorf("%v: nobody is told what exit code %d means", kind, code)
		}
	}
}
