package extensions

import "github.com/msalext/msalext/extensions/backend"

// identityService is the name under which the Azure Identity libraries keep
// their caches in key stores.
const identityService = "Microsoft.Developer.IdentityService"

// presets by the names that Options.Preset takes. docs/interop.md has where
// each family keeps its files, and what was compared.
//
// A file holds the same JSON text for all of them, and on Windows the same
// blob, at the very path that they are given, locked at that path with
// ".lockfile": there is nothing to set. In key stores names and encoding
// differ.
var presets = map[string]preset{
	// As the backends are by themselves: schema and account are derived from
	// the location, as msal-extensions does where it isn't told otherwise.
	"python": {
		"file": {}, "dpapi": {}, "keychain": {}, "libsecret": {},
	},
	"dotnet": {
		"file": {}, "dpapi": {},
		"keychain": {needs: []string{"service", "account"}},
		"libsecret": {
			settings: backend.Settings{"encoding": "base64", "match-schema": "false"},
			needs:    []string{"schema", "attribute.*", "attribute.*"},
		},
	},
	// keytar keeps the items of all applications under libsecret's general schema.
	"node": {
		"file": {}, "dpapi": {},
		"keychain": {needs: []string{"service", "account"}},
		"libsecret": {
			settings: backend.Settings{"schema": "org.freedesktop.Secret.Generic"},
			needs:    []string{"attribute.service", "attribute.account"},
		},
	},
	"msal-go": {
		"file": {}, "dpapi": {},
		"keychain": {needs: []string{"service", "account"}},
		"libsecret": {
			settings: backend.Settings{"encoding": "base64", "label": "MSALCache"},
			needs:    []string{"schema"},
		},
	},
	// Its key stores are written through other libraries, and weren't compared.
	"java": {
		"file": {javaLock: true},
	},
	// The names are those of the sample that Azure CLI was made after.
	"azure-cli": {
		"file": {}, "dpapi": {},
		"keychain": {settings: backend.Settings{"service": "my_service_name", "account": "my_account_name"}},
		"libsecret": {settings: backend.Settings{
			"schema": "my_schema_name", "attribute.my_attr1": "foo", "attribute.my_attr2": "bar",
		}},
	},
	"azidentity-python": {
		"file": {}, "dpapi": {},
		"keychain": {settings: backend.Settings{"service": identityService, "account": "MSALCache"}},
		"libsecret": {
			settings: backend.Settings{"label": "MSALCache", "attribute.MsalClientID": identityService},
			needs:    []string{"schema"},
		},
	},
	"azidentity-dotnet": {
		"file": {}, "dpapi": {},
		"keychain": {settings: backend.Settings{"service": identityService}, needs: []string{"account"}},
		"libsecret": {settings: backend.Settings{
			"schema": "msal.cache", "encoding": "base64", "match-schema": "false",
			"attribute.MsalClientID": identityService, "attribute." + identityService: "1.0.0.0",
		}},
	},
	"azidentity-node": {
		"file": {}, "dpapi": {},
		"keychain": {settings: backend.Settings{"service": identityService, "account": "MSALCache"}},
		"libsecret": {settings: backend.Settings{
			"schema": "org.freedesktop.Secret.Generic", "attribute.service": identityService, "attribute.account": "MSALCache",
		}},
	},
	// On Linux it encrypts a file with a key of the kernel's, in a format of
	// its own.
	"azidentity-go": {
		"dpapi":    {},
		"keychain": {settings: backend.Settings{"account": "MSALCache"}, needs: []string{"service"}},
	},
}
