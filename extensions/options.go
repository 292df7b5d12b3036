package extensions

import (
	"log/slog"
	"runtime"
	"slices"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/envelope"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/extensions/pluginhost"
)

// Options say how to find and open a backend. Nil and the zero value are the
// safe defaults. One value serves every operating system.
type Options struct {
	// Candidates are the backends that BuildPersistence tries, in order. Nil:
	// the platform's own key store. Names of custom backends are allowed.
	Candidates []string
	// FallbackToPlaintext adds the unencrypted "file" backend as the last
	// candidate. It is used only where every other is missing, and never
	// because one is locked, denied, slow or broken.
	FallbackToPlaintext bool
	// FallbackToKernelKeyring adds, on Linux, "file+kernel-keyring" as the last
	// candidate before plaintext, by the same rule: a file encrypted with a key in
	// the kernel's memory, for servers without a key store. It needs no password,
	// and everybody signs in again after a reboot; see envelope.KernelKeyring.
	// With another system's backends it does nothing.
	FallbackToKernelKeyring bool
	// Envelope encrypts everything before the store sees it, with keys from there;
	// see package envelope. The backend is then called "file+envelope", say, and
	// what it stored can't be opened without Envelope. No other library can read
	// it, so it doesn't go with Preset. Nil: what is stored is as secret as the
	// backend keeps it.
	Envelope envelope.Keys
	// EnvelopeID tells the application's stores apart that are encrypted with the
	// same keys: what lies in one doesn't open in another. It may be any text, is
	// no secret, and has to stay the same. Empty is an id, too.
	EnvelopeID string
	// Settings are each backend's own options, by the backend's name. Those
	// of backends that aren't opened are ignored; unknown names inside an
	// opened backend's are refused. A secret setting NAME can be given as
	// NAME-file, a file of the user's own, or NAME-env, the name of an environment
	// variable; this program itself reads it.
	Settings map[string]backend.Settings
	// Preset names the applications that the cache is shared with, by what they
	// keep it with: "python", "dotnet", "node", "msal-go" or "java" for MSAL
	// Extensions, "azure-cli", and "azidentity-python", "-dotnet", "-node" and "-go" for the
	// Azure Identity libraries. It stands for the settings under which each
	// backend finds what they wrote; Settings come over it, name by name. Names
	// that each of those applications chooses for itself have to be there: an
	// ErrInvalid lists them. Empty: Settings alone.
	//
	// Plain files are alike for all of them, at the same location and, but for
	// "java", under the same lock; so for the backend "file" the other presets set
	// nothing. "java" also takes the lock of MSAL Extensions for Java, which is
	// one for all caches in a directory; with it, and with "msal-go", see
	// CacheOptions.RestoreOverwritten of package persist. A backend that a preset
	// doesn't know is refused, unless Settings have an entry for it.
	Preset string
	// InProcess are backends linked into this program. They come before any
	// plugin of the same name and need no process.
	InProcess []backend.Backend
	// Host finds and runs plugins. Nil: one host for the whole process,
	// pluginhost.Default.
	Host *pluginhost.Host
	// Background makes BuildPersistence and Open return at once, while the
	// backend is chosen and its plugin starts. The first use, also
	// IsEncrypted, waits for it and reports its errors. It takes up to 30
	// seconds, also when ctx ends earlier.
	Background bool
	// AllowEnv lets the environment variable MSALEXT_PLUGIN_DIR name a
	// directory of plugins, where Host is nil.
	AllowEnv bool
	// Trace is told what happens inside, with durations. Nil: nobody is.
	Trace *persist.Trace
	// Logger gets warnings. Nil: slog.Default.
	Logger *slog.Logger
}

const plaintext = "file"

// candidates lists the backends to try, in order.
func (o *Options) candidates() []string {
	names := slices.Clone(o.Candidates)
	if names == nil {
		names = []string{platformStore(runtime.GOOS)}
	}
	if o.FallbackToPlaintext && !slices.Contains(names, plaintext) {
		names = append(names, plaintext)
	}
	if o.FallbackToKernelKeyring && runtime.GOOS == "linux" && !slices.Contains(names, kernelSealed) {
		last := len(names)
		if at := slices.Index(names, plaintext); at >= 0 {
			last = at
		}
		names = slices.Insert(names, last, kernelSealed)
	}
	for i, name := range names {
		names[i] = o.named(name)
	}
	return names
}

// platformStore is the backend of a system's own key store. The Secret Service
// is at home wherever a freedesktop.org desktop runs, the BSDs included.
func platformStore(goos string) string {
	switch goos {
	case "windows":
		return "dpapi"
	case "darwin":
		return "keychain"
	}
	return "libsecret"
}
