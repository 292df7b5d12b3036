package backend

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
)

// Settings are a store's options by name, as [Description.Settings] lists
// them. Nil means none.
type Settings map[string]string

// A Secret is a setting that is never printed: every verb of package fmt, and
// slog, show "[secret]".
type Secret []byte

const redacted = "[secret]"

// Format prints "[secret]", whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue is "[secret]".
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText is "[secret]", so that encoders don't reveal it either.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Config is what a Backend needs to open a store.
type Config struct {
	// Location is as the application wrote it. MSAL Extensions for Python
	// derives the keychain account from that very text.
	Location string
	// Path is Location made absolute. Data, signal and lock files lie where
	// [PathFor] derives them from it, and nowhere else.
	Path string
	// Settings are printable options.
	Settings Settings
	// Secrets are the options that [Setting.Secret] marks. They reach a plugin
	// after its start, never by argument or environment.
	Secrets map[string]Secret
}

// A Setting is one option of a backend.
type Setting struct {
	Name   string // lower case, words joined by "-"; a trailing ".*" admits any suffix
	Doc    string // one line: what it does, its values, its default
	Secret bool   // the value is never printed
}

// A Description is what a backend says of itself before anything is opened.
type Description struct {
	Name      string    // as in msalext-plugin-<name>
	Version   string    // the backend's own, for people
	Settings  []Setting // all it understands
	Platforms []string  // GOOS values; nil: every one
	// Env names the environment variables that a plugin process needs beyond
	// the host's short list. It gets those that the application allows too.
	Env []string
}

// Split checks settings against what the backend understands, and divides
// them into printable ones and secrets. Unknown names are refused together in
// one ErrInvalid that lists them and what is known.
func (d Description) Split(all Settings) (Settings, map[string]Secret, error) {
	settings, secrets := Settings{}, map[string]Secret{}
	var unknown []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		switch s, ok := d.setting(name); {
		case !ok:
			unknown = append(unknown, name)
		case s.Secret:
			secrets[name] = Secret(all[name])
		default:
			settings[name] = all[name]
		}
	}
	if len(unknown) > 0 {
		return nil, nil, d.unknown(unknown)
	}
	return settings, secrets, nil
}

func (d Description) setting(name string) (Setting, bool) {
	for _, s := range d.Settings {
		prefix, open := strings.CutSuffix(s.Name, "*")
		if s.Name == name || open && strings.HasPrefix(name, prefix) {
			return s, true
		}
	}
	return Setting{}, false
}

func (d Description) unknown(names []string) error {
	known := "it has none"
	if len(d.Settings) > 0 {
		var list []string
		for _, s := range d.Settings {
			list = append(list, s.Name)
		}
		known = "it knows " + strings.Join(list, ", ")
	}
	return &Error{
		Op: "open", Backend: d.Name, Kind: ErrInvalid,
		Err:  fmt.Errorf("unknown setting %q", names),
		Hint: "correct the setting's name: " + known,
	}
}
