package pluginhost

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
)

func TestPlaces(t *testing.T) {
	s := newScene(t)
	sum := sha256.Sum256([]byte("#!/bin/sh\n"))
	hash := hex.EncodeToString(sum[:])
	empty := t.TempDir()
	data := filepath.Join(s.base, "data")
	s.must(os.MkdirAll(filepath.Join(data, "msalext", "plugins"), 0o755))
	s.must(os.WriteFile(filepath.Join(data, "msalext", "plugins", fileName("x")), []byte("#!/bin/sh\n"), 0o755))
	beside := filepath.Join(s.base, "app")
	s.must(os.MkdirAll(filepath.Join(beside, "msalext-plugins"), 0o755))
	s.must(os.WriteFile(filepath.Join(beside, "msalext-plugins", fileName("x")), []byte("#!/bin/sh\n"), 0o755))
	env := func(key string) (string, bool) { return s.dir, key == pluginDirEnv }
	exe := func() (string, error) { return filepath.Join(beside, "app"), nil }
	home := func() string { return data }

	for name, c := range map[string]struct {
		options Options
		change  func(*surroundings)
		want    string // path; empty: not found
		reason  string
	}{
		"path in code":                {Options{Plugins: map[string]Binary{"x": {Path: s.file}}}, nil, s.file, ""},
		"path in code, hash":          {Options{Plugins: map[string]Binary{"x": {Path: s.file, SHA256: strings.ToUpper(hash)}}}, nil, s.file, ""},
		"path in code, other hash":    {Options{Plugins: map[string]Binary{"x": {Path: s.file, SHA256: strings.Repeat("0", 64)}}}, nil, "", "SHA-256"},
		"path in code, relative":      {Options{Plugins: map[string]Binary{"x": {Path: "x"}}}, nil, "", "relative"},
		"path in code, missing":       {Options{Plugins: map[string]Binary{"x": {Path: s.file + "-"}}, Dirs: []string{s.dir}}, nil, "", ""},
		"path in code beats self":     {Options{Plugins: map[string]Binary{"x": {Path: s.file}}}, func(a *surroundings) { a.offered = func(string) bool { return true } }, s.file, ""},
		"hash for any place":          {Options{Dirs: []string{s.dir}, Hashes: map[string][]string{"x": {"00", hash}}}, nil, s.file, ""},
		"wrong hash for any place":    {Options{Dirs: []string{s.dir}, Hashes: map[string][]string{"x": {"00"}}}, nil, "", "SHA-256"},
		"first directory":             {Options{Dirs: []string{empty, s.dir, beside}}, nil, s.file, ""},
		"nowhere":                     {Options{}, nil, "", ""},
		"system":                      {Options{}, func(a *surroundings) { a.system = []string{s.dir} }, s.file, ""},
		"system, elevated":            {Options{}, func(a *surroundings) { a.system, a.elevated = []string{s.dir}, true }, s.file, ""},
		"environment, not allowed":    {Options{}, func(a *surroundings) { a.lookupEnv = env }, "", ""},
		"environment":                 {Options{AllowEnv: true}, func(a *surroundings) { a.lookupEnv = env }, s.file, ""},
		"environment, elevated":       {Options{AllowEnv: true}, func(a *surroundings) { a.lookupEnv, a.elevated = env, true }, "", ""},
		"beside the program":          {Options{}, func(a *surroundings) { a.executable = exe }, filepath.Join(beside, "msalext-plugins", fileName("x")), ""},
		"beside, elevated":            {Options{}, func(a *surroundings) { a.executable, a.elevated = exe, true }, "", ""},
		"directory in code, elevated": {Options{Dirs: []string{s.dir}}, func(a *surroundings) { a.elevated = true }, "", ""},
		"user's, no hash":             {Options{}, func(a *surroundings) { a.userData = home }, "", "isn't trusted"},
		"user's, hash":                {Options{Hashes: map[string][]string{"x": {hash}}}, func(a *surroundings) { a.userData = home }, filepath.Join(data, "msalext", "plugins", fileName("x")), ""},
		"user's, elevated":            {Options{Hashes: map[string][]string{"x": {hash}}}, func(a *surroundings) { a.userData, a.elevated = home, true }, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := bare()
			if c.change != nil {
				c.change(&a)
			}
			p, err := found(&c.options, a)
			switch {
			case c.want != "" && (err != nil || p.path != c.want):
				t.Errorf("found %+v, %v", p, err)
			case c.reason != "":
				check(t, p, err, c.reason)
			case c.want == "":
				if nf, ok := errors.AsType[*NotFoundError](err); !ok || nf.Name != "x" || !errors.Is(err, backend.ErrPluginNotFound) {
					t.Errorf("found %+v, %v", p, err)
				}
			}
			if p != nil {
				p.Close()
			}
		})
	}
}

func TestRelativeDirectory(t *testing.T) {
	s := newScene(t)
	t.Chdir(s.base)
	p, err := found(&Options{Dirs: []string{filepath.Join("way", "plugins")}}, bare())
	check(t, p, err, "relative")
}

func TestNotSearched(t *testing.T) {
	s := newScene(t)
	t.Chdir(s.dir)
	t.Setenv("PATH", s.dir)
	t.Setenv(pluginDirEnv, s.dir)
	a := here()
	a.executable = func() (string, error) { return filepath.Join(s.dir, "program"), nil }
	if p, err := found(&Options{}, a); !errors.Is(err, backend.ErrPluginNotFound) {
		t.Errorf("found %+v, %v", p, err)
	}
}

func TestElevated(t *testing.T) {
	t.Setenv("SUDO_UID", "1000") // restores what was there
	if err := os.Unsetenv("SUDO_UID"); err != nil || elevated() {
		t.Errorf("elevated without a reason: %v", err)
	}
	t.Setenv("SUDO_UID", strconv.Itoa(os.Geteuid()+1))
	if !elevated() {
		t.Error("sudo isn't noticed")
	}
	t.Setenv("SUDO_UID", strconv.Itoa(os.Geteuid()))
	if elevated() {
		t.Error("elevated to oneself")
	}
}
