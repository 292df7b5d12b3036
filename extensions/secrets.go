package extensions

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/ownedfile"
)

// maxSecret bounds, in bytes, what a secret setting's file may hold: passwords
// are short, and a key with its certificates takes some KiB.
const maxSecret = 64 << 10

// reveal puts each secret setting in its place that settings only point to:
// NAME-file names a file that holds it, NAME-env an environment variable. They
// are read here, in the program itself: a plugin gets neither the program's
// environment nor a path to open with rights of its own. A backend that has a
// setting called NAME-file itself keeps it.
func (o *Options) reveal(d backend.Description, all backend.Settings) error {
	for _, s := range d.Settings {
		if !s.Secret || strings.HasSuffix(s.Name, "*") {
			continue
		}
		if err := o.revealOne(d, all, s.Name); err != nil {
			return err
		}
	}
	return nil
}

func (o *Options) revealOne(d backend.Description, all backend.Settings, name string) error {
	var given []string
	for _, setting := range []string{name, name + "-file", name + "-env"} {
		if _, ok := all[setting]; ok && (setting == name || !declares(d, setting)) {
			given = append(given, setting)
		}
	}
	switch {
	case len(given) == 0 || len(given) == 1 && given[0] == name:
		return nil
	case len(given) > 1:
		return unrevealed(d, backend.ErrInvalid, fmt.Errorf("the settings %q are all given", given), "keep one of them")
	}
	value, err := o.secretFrom(d, given[0], all[given[0]])
	if err != nil {
		return err
	}
	delete(all, given[0])
	all[name] = value
	return nil
}

func declares(d backend.Description, setting string) bool {
	for _, s := range d.Settings {
		prefix, open := strings.CutSuffix(s.Name, "*")
		if s.Name == setting || open && strings.HasPrefix(setting, prefix) {
			return true
		}
	}
	return false
}

func (o *Options) secretFrom(d backend.Description, setting, where string) (string, error) {
	if strings.HasSuffix(setting, "-env") {
		return fromEnvironment(d, setting, where)
	}
	text, err := o.fromFile(where)
	if err != nil {
		return "", unreadable(d, setting, err)
	}
	// Editors and echo end a file with a line break; spaces may be meant.
	value := strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
	if value == "" {
		return "", unrevealed(d, backend.ErrInvalid, fmt.Errorf("the file that %s names is empty", setting), "write the secret to it")
	}
	return value, nil
}

// fromEnvironment doesn't tell the variable's name: who takes the setting for
// the secret itself writes that there.
func fromEnvironment(d backend.Description, setting, variable string) (string, error) {
	if value := os.Getenv(variable); value != "" {
		return value, nil
	}
	return "", unrevealed(d, backend.ErrInvalid, fmt.Errorf("the environment variable that %s names isn't set, or is empty", setting),
		"set the variable for this program; the setting is the variable's name and not its value")
}

func (o *Options) fromFile(location string) (string, error) {
	path, err := resolve(location)
	if err != nil {
		return "", err
	}
	f, err := ownedfile.Open(path, os.O_RDONLY)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if f.Tightened {
		o.logger().Warn("msalext: other users could read a secret until now; its file is private again", slog.String("path", path))
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err == nil && len(text) > maxSecret {
		err = fmt.Errorf("it has more than %d bytes", maxSecret)
	}
	return string(text), err
}

// unreadable keeps a refusal, and makes all else a wrong setting: that a secret
// isn't there doesn't mean that the store isn't.
func unreadable(d backend.Description, setting string, err error) error {
	hint := "correct the setting " + setting + ": it names a file of yours, with mode 0600, that holds the secret"
	if e, ok := errors.AsType[*backend.Error](err); ok && e.Kind == backend.ErrDenied {
		return unrevealed(d, backend.ErrDenied, e.Err, e.Hint)
	}
	return unrevealed(d, backend.ErrInvalid, fmt.Errorf("the file that %s names can't be read: %w", setting, err), hint)
}

func unrevealed(d backend.Description, kind, err error, hint string) error {
	return &backend.Error{Op: "open", Backend: d.Name, Kind: kind, Err: err, Hint: hint}
}
