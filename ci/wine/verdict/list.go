package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// readList reads what Wine can't show, or has to: on each line a name and the
// reason. A name is a package and a test, as in "internal/filelock.TestX/y", or a file of
// tests that Windows doesn't compile, as in "internal/filelock/x_linux_test.go".
func readList(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	list := map[string]string{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, reason, _ := strings.Cut(line, " ")
		if reason = strings.TrimSpace(reason); reason == "" || list[name] != "" {
			return nil, fmt.Errorf("%s: %s has no reason, or two", path, name)
		}
		list[name] = reason
	}
	return list, nil
}

// compared is a package and its test files.
type compared struct {
	name      string   // within the module
	files     []string // of Linux or Windows
	elsewhere []string // those that only Linux compiles
}

func compare(patterns []string) ([]compared, error) {
	windows, err := testFiles("windows", patterns)
	if err != nil {
		return nil, err
	}
	linux, err := testFiles("linux", patterns)
	if err != nil {
		return nil, err
	}
	var all []compared
	for name, files := range windows {
		elsewhere := slices.DeleteFunc(slices.Clone(linux[name]), func(f string) bool { return slices.Contains(files, f) })
		all = append(all, compared{name: name, files: slices.Concat(files, elsewhere), elsewhere: elsewhere})
	}
	return all, nil
}

// testFiles lists the test files that a system compiles, by package.
func testFiles(goos string, patterns []string) (map[string][]string, error) {
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,TestGoFiles,XTestGoFiles"}, patterns...)...)
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH=amd64", "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	all := map[string][]string{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath                string
			TestGoFiles, XTestGoFiles []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		name := strings.TrimPrefix(p.ImportPath, module)
		all[name] = nil
		for _, file := range slices.Concat(p.TestGoFiles, p.XTestGoFiles) {
			all[name] = append(all[name], name+"/"+file)
		}
	}
}
