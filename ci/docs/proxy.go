package main

import (
	"archive/zip"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	module  = "github.com/msalext/msalext"
	version = "v0.999.0" // later than any release that a real proxy knows
)

// proxy adds the module in root to a directory that GOPROXY can name, in the
// layout of https://go.dev/ref/mod#goproxy-protocol.
func proxy(root, dir string) error {
	at := filepath.Join(dir, filepath.FromSlash(module), "@v")
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return err
	}
	err = os.MkdirAll(at, 0o755)
	for name, content := range map[string][]byte{
		"list":            []byte(version + "\n"),
		version + ".info": []byte(`{"Version":"` + version + `","Time":"2020-01-01T00:00:00Z"}`),
		version + ".mod":  mod,
	} {
		err = errors.Join(err, os.WriteFile(filepath.Join(at, name), content, 0o644))
	}
	if err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(at, version+".zip"))
	if err != nil {
		return err
	}
	return errors.Join(archive(root, f), f.Close())
}

// archive is the module as it would be published: what git knows or would add,
// without the modules inside of it.
func archive(root string, w io.Writer) error {
	cmd := exec.Command("git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return err
	}
	files := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	inner := innerModules(files)
	z := zip.NewWriter(w)
	for _, name := range files {
		if !inside(inner, name) {
			if err := add(z, root, name); err != nil {
				return err
			}
		}
	}
	return z.Close()
}

func innerModules(files []string) (dirs []string) {
	for _, name := range files {
		if dir, ok := strings.CutSuffix(name, "/go.mod"); ok {
			dirs = append(dirs, dir+"/")
		}
	}
	return dirs
}

func inside(dirs []string, name string) bool {
	for _, dir := range dirs {
		if strings.HasPrefix(name, dir) {
			return true
		}
	}
	return false
}

func add(z *zip.Writer, root, name string) error {
	path := filepath.Join(root, filepath.FromSlash(name))
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return nil // deleted and not committed; a module's archive has no links
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	w, err := z.Create(module + "@" + version + "/" + name)
	if err == nil {
		_, err = w.Write(content)
	}
	return err
}
