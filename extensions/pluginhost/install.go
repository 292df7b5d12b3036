package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
)

// Install copies the plugin binary at path into [UserDir], for this user alone
// (0700), and trusts it as [Trust] does. Its file name tells the backend. Where
// sha256, in hex, isn't empty, the binary must have it. One that is installed
// already is replaced in one step, and isn't trusted any longer; nothing is
// downloaded or started.
//
// ErrInvalid: it isn't called like a plugin, or isn't a regular file.
// ErrPluginNotFound: it isn't there. ErrPluginRefused, with a [*RefusedError]: its
// hash is another, or the user's directory isn't safe. ErrUnavailable: the disk
// is full, or there is no home directory. Otherwise the errors of
// [TrustedPlugins]. Whatever fails, what was installed before still works.
func Install(ctx context.Context, path, sha256 string) (Trusted, error) {
	name, err := nameOf(path)
	if err != nil {
		return Trusted{}, err
	}
	staged, err := stage(name, path)
	if err != nil {
		return Trusted{}, err
	}
	defer func() { _ = os.Remove(staged) }()
	c := candidate{name: name, path: staged, within: filepath.Dir(staged)}
	added, err := measure(c)
	if err != nil {
		return Trusted{}, err
	}
	if sha256 != "" && !strings.EqualFold(sha256, added.SHA256) {
		return Trusted{}, refused(name, path, "get it again from where it should be from",
			"its SHA-256 is %s, which isn't the one expected", added.SHA256)
	}
	added.Path = filepath.Join(filepath.Dir(added.Path), fileName(name))
	return added, publish(ctx, staged, added)
}

// stage copies the file at path into UserDir, under a name that isn't a plugin's.
func stage(name, path string) (string, error) {
	info, err := os.Stat(path) // opening a FIFO would wait for its writer
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", notFound(name, []string{filepath.Dir(path)})
	case err == nil && !info.Mode().IsRegular():
		return "", &backend.Error{Op: "install", Backend: name, Kind: backend.ErrInvalid, Err: fmt.Errorf("%s isn't a file", path)}
	}
	if UserDir() == "" {
		return "", errNoHome
	}
	to := filepath.Join(UserDir(), fileName(name))
	if _, err := atomicfile.Prepare(filepath.Join(UserDir(), "new")); err != nil {
		return "", err
	}
	from, err := os.Open(path)
	if err != nil {
		return "", backend.Wrap("install", name, backend.ErrDenied, err)
	}
	defer from.Close()
	staged, err := copyBeside(to, from)
	return staged, backend.Wrap("install", name, backend.ErrUnavailable, err)
}

// publish trusts the new binary before it is in its place, and the old one until
// then: at every moment what lies there is trusted.
func publish(ctx context.Context, staged string, added Trusted) error {
	err := changeRecord(ctx, func(all []Trusted) []Trusted {
		return append(drop(all, added.same), added)
	})
	if err != nil {
		return err
	}
	if err := os.Rename(staged, added.Path); err != nil {
		return errors.Join(
			&backend.Error{Op: "install", Backend: added.Name, Kind: backend.ErrUnavailable, Err: err, Hint: "end the programs that use the plugin"},
			changeRecord(ctx, func(all []Trusted) []Trusted { return drop(all, added.same) }))
	}
	return changeRecord(ctx, func(all []Trusted) []Trusted {
		return drop(all, func(t Trusted) bool { return t.at(added.Name, added.Path) && !t.same(added) })
	})
}

// Remove deletes a backend's plugin from [UserDir], and takes back the trust in
// what lay there. It returns the path. A plugin that runs isn't ended.
//
// ErrInvalid: name isn't one. ErrPluginNotFound: none is installed there.
// ErrDenied: it can't be deleted. Otherwise the errors of [TrustedPlugins].
func Remove(ctx context.Context, name string) (string, error) {
	if err := checkName(name); err != nil {
		return "", err
	}
	if UserDir() == "" {
		return "", errNoHome
	}
	path := filepath.Join(UserDir(), fileName(name))
	if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
		return "", notFound(name, []string{UserDir()})
	}
	real, err := filepath.EvalSymlinks(UserDir())
	if err != nil {
		return "", backend.Wrap("remove a plugin", name, backend.ErrDenied, err)
	}
	err = changeRecord(ctx, func(all []Trusted) []Trusted {
		return drop(all, func(t Trusted) bool { return t.at(name, filepath.Join(real, fileName(name))) })
	})
	if err != nil {
		return "", err
	}
	return path, backend.Wrap("remove a plugin", name, backend.ErrDenied, os.Remove(path))
}
