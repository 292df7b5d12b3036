package pluginhost

import (
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"
)

// copyKept is how long a copy stays at least that may be nobody's any more.
const copyKept = 30 * 24 * time.Hour

// checkedCopy returns a program that runs a private copy of a binary whose hash
// was checked: a system that executes by path only could be led to another file
// after the check. Copies are kept, one for each hash, and are made anew where
// they aren't what they should be.
func (s surroundings) checkedCopy(p *program) (*program, error) {
	cache := s.cacheDir()
	if cache == "" {
		return nil, unsafeError{reason: "there is no cache directory for a checked copy of it", hint: "set HOME"}
	}
	all := filepath.Join(cache, "msalext", "checked", p.name)
	to := candidate{name: p.name, path: filepath.Join(all, p.sha256, filepath.Base(p.path)), within: all}
	if clone, err := s.openCopy(p, to); err == nil {
		return clone, nil
	}
	prune(all)
	if err := p.copyTo(to.path); err != nil {
		return nil, err
	}
	return s.openCopy(p, to)
}

// openCopy opens a copy if it is one.
func (s surroundings) openCopy(p *program, c candidate) (*program, error) {
	clone, err := open(c)
	if err != nil {
		return nil, err
	}
	sum, err := s.sum(clone)
	if err == nil && sum != p.sha256 {
		err = unsafeError{reason: "it changed while it was being copied", hint: "try again, once it is installed"}
	}
	if err != nil {
		clone.Close()
		return nil, err
	}
	clone.run, clone.path, clone.sha256 = clone.path, p.path, sum
	return clone, nil
}

func (p *program) copyTo(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	temp, err := copyBeside(path, io.NewSectionReader(p.file, 0, math.MaxInt64))
	if err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	return nil
}

// copyBeside writes a new executable file for this user alone into the directory
// of path, and returns its name.
func copyBeside(path string, from io.Reader) (string, error) {
	temp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return "", err
	}
	_, err = io.Copy(temp, from)
	if err == nil {
		err = errors.Join(temp.Chmod(0o700), temp.Sync())
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return "", errors.Join(err, os.Remove(temp.Name()))
	}
	return temp.Name(), nil
}

// prune removes a backend's old copies. One that is still used is made again.
func prune(all string) {
	entries, _ := os.ReadDir(all)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > copyKept {
			_ = os.RemoveAll(filepath.Join(all, e.Name()))
		}
	}
}
