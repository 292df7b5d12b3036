package main

import "slices"

// rule is what a package may import of ours directly, and which modules of
// others it may depend on, through whatever it imports.
type rule struct {
	pkg     string // a pattern as in path.Match
	ours    []string
	modules []string
}

var (
	sys      = []string{"golang.org/x/sys"}
	fastJSON = []string{"github.com/go-json-experiment/json"}
	core     = slices.Concat(sys, fastJSON)
	stored   = slices.Concat(core, []string{"github.com/fsnotify/fsnotify"}) // what persist brings along
	// A plugin serves by gRPC alone; only its host has go-plugin.
	grpc = slices.Concat(sys, []string{
		"google.golang.org/grpc", "google.golang.org/protobuf", "google.golang.org/genproto/googleapis/rpc",
		"golang.org/x/net", "golang.org/x/text",
	})
	host = slices.Concat(grpc, []string{
		"github.com/hashicorp/go-plugin", "github.com/hashicorp/go-hclog", "github.com/hashicorp/yamux", "github.com/oklog/run",
		"github.com/fatih/color", "github.com/mattn/go-colorable", "github.com/mattn/go-isatty", "github.com/golang/protobuf",
	})
	msalGo = []string{
		"github.com/AzureAD/microsoft-authentication-library-for-go", "github.com/golang-jwt/jwt/v5",
		"github.com/google/uuid", "github.com/kylelemons/godebug", "github.com/pkg/browser", "golang.org/x/sync",
	}
	// What package msal adds: certificates in files, retries, other people's tokens.
	clients = slices.Concat(msalGo, crypto, []string{
		"github.com/hashicorp/go-retryablehttp", "github.com/hashicorp/go-cleanhttp", "golang.org/x/oauth2",
		"github.com/youmark/pkcs8", "software.sslmate.com/src/go-pkcs12",
	})
	azure = []string{
		"github.com/Azure/azure-sdk-for-go/sdk/azcore", "github.com/Azure/azure-sdk-for-go/sdk/internal", "golang.org/x/net", "golang.org/x/text",
	}
	web      = slices.Concat(clients, azure, []string{"github.com/alexedwards/scs/v2"})
	dbus     = slices.Concat(sys, []string{"github.com/godbus/dbus/v5"})
	dpapi    = []string{"github.com/billgraziano/dpapi", "github.com/pkg/errors"}
	keychain = []string{"github.com/keybase/go-keychain"}
	redis    = slices.Concat(sys, []string{"github.com/redis/go-redis/v9", "github.com/cespare/xxhash/v2", "go.uber.org/atomic"})
	crypto   = []string{"golang.org/x/crypto"}
	sqlite   = slices.Concat(crypto, []string{
		"github.com/ncruces/go-sqlite3", "github.com/ncruces/go-sqlite3-wasm/v6", "github.com/ncruces/julianday", "lukechampine.com/adiantum",
	})
	cli        = []string{"github.com/spf13/cobra", "github.com/spf13/pflag", "github.com/inconshreveable/mousetrap", "golang.org/x/term"}
	fileStore  = []string{"extensions/backend", "extensions/backend/atomicfile"}
	pluginMain = []string{"plugins/*", "extensions/plugin"}
	everything = slices.Concat(stored, host, clients, dbus, dpapi, keychain)
	public     = []string{"extensions", "extensions/*", "extensions/backend/*", "plugins/*", "msal", "msal/*", "msal/web/*", "examples/internal/*"}
)

// rules: the first whose pattern matches holds.
var rules = []rule{
	{"extensions/backend", nil, nil},
	{"extensions/backend/memory", []string{"extensions/backend"}, nil},
	{"extensions/backend/backendtest", []string{"extensions/backend"}, nil},
	{"extensions/backend/atomicfile", []string{"extensions/backend", "internal/ownedfile"}, sys},
	{"extensions/tokencache", nil, fastJSON},
	{"extensions/persist", []string{
		"extensions/backend", "extensions/backend/atomicfile", "extensions/tokencache",
		"internal/filelock", "internal/ownedfile", "internal/record",
	}, stored},
	{"extensions/plugin", []string{"extensions/backend", "internal/wire", "internal/selfplugin", "internal/peercred"}, grpc},
	{"extensions/pluginhost", []string{"extensions/backend", "extensions/backend/atomicfile", "internal/wire", "internal/selfplugin", "internal/peercred"}, host},
	{"extensions/envelope", fileStore, slices.Concat(sys, crypto)},
	{"extensions/plugintest", []string{
		"extensions/backend", "extensions/backend/backendtest", "extensions/pluginhost", "internal/canary", "internal/wire", "internal/wire/persistencepb",
	}, slices.Concat(core, host)},
	{"extensions", []string{
		"extensions/backend", "extensions/envelope", "extensions/persist", "extensions/pluginhost", "internal/ownedfile", "internal/record",
	}, slices.Concat(stored, host, crypto)},

	{"internal/ownedfile", []string{"extensions/backend"}, sys},
	{"internal/filelock", []string{"extensions/backend", "internal/ownedfile"}, core},
	{"internal/record", []string{"extensions/backend", "extensions/backend/atomicfile"}, sys},
	{"internal/testproc", nil, nil},
	{"internal/canary", nil, nil},
	{"internal/selfplugin", []string{"extensions/backend"}, nil},
	{"internal/peercred", nil, grpc},
	{"internal/wire", []string{"extensions/backend", "internal/selfplugin", "internal/wire/persistencepb"}, grpc},
	{"internal/wire/persistencepb", nil, grpc},

	{"plugins/dpapi", fileStore, slices.Concat(sys, dpapi)},
	{"plugins/dpapi/cmd/*", pluginMain, slices.Concat(core, grpc, dpapi)},
	{"plugins/keychain", []string{"extensions/backend"}, keychain},
	{"plugins/keychain/cmd/*", pluginMain, slices.Concat(core, grpc, keychain)},
	{"plugins/libsecret", []string{"extensions/backend"}, dbus},
	{"plugins/libsecret/cmd/*", pluginMain, slices.Concat(core, grpc, dbus)},
	{"plugins/redis", []string{"extensions/backend"}, redis},
	{"plugins/redis/cmd/*", pluginMain, slices.Concat(core, grpc, redis)},
	{"plugins/sqlite", fileStore, slices.Concat(sys, sqlite)},
	{"plugins/sqlite/cmd/*", pluginMain, slices.Concat(core, grpc, sqlite)},
	{"plugins/*", fileStore, sys},
	{"plugins/*/cmd/*", pluginMain, slices.Concat(core, grpc)},

	{"msal", []string{"extensions/backend", "extensions/backend/memory", "extensions/persist", "extensions/tokencache"}, slices.Concat(stored, clients)},
	{"msal/msaltest", nil, nil},
	{"msal/azcredential", []string{"msal"}, slices.Concat(stored, clients, azure)},
	{"msal/oidc", []string{"msal"}, slices.Concat(stored, clients, []string{"github.com/coreos/go-oidc/v3", "github.com/go-jose/go-jose/v4"})},
	{"msal/web", []string{"extensions/backend", "extensions/persist", "extensions/tokencache", "msal"}, slices.Concat(stored, web)},
	{"msal/web/redisstore", []string{"extensions/backend", "extensions/persist", "msal", "msal/web"}, slices.Concat(stored, web, redis)},

	{"examples/internal/*", public, slices.Concat(stored, clients)},
	{"examples/webapp", append([]string{"examples/webapp/cloud"}, public...), slices.Concat(everything, web, sqlite, redis, []string{"github.com/alexedwards/scs/sqlite3store", "github.com/alexedwards/scs/goredisstore"})},
	{"examples/webapp/*", public, slices.Concat(everything, web, sqlite, redis)},
	{"examples/inprocess", public, slices.Concat(stored, clients)}, // a linked-in backend brings no gRPC
	{"examples/*", public, everything},
	{"cmd/msalext", append([]string{"extensions/plugin"}, public...), slices.Concat(everything, web, sqlite, redis, cli)},
	{"ci/*", nil, nil},
	{"ci/wine/*", nil, nil},
}

func ruleFor(name string) (rule, bool) {
	for _, r := range rules {
		if matches([]string{r.pkg}, name) {
			return r, true
		}
	}
	return rule{}, false
}
