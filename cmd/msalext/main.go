// Command msalext looks into token caches, moves them and mends them: see
// `msalext help`, and the exit codes in `msalext help exit-codes`.
//
// It holds no logic of its own: what it does, package extensions does.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/msalext/msalext/extensions/plugin"
	"github.com/msalext/msalext/plugins/dpapi"
	"github.com/msalext/msalext/plugins/file"
	"github.com/msalext/msalext/plugins/keychain"
	"github.com/msalext/msalext/plugins/libsecret"
	"github.com/msalext/msalext/plugins/redis"
	"github.com/msalext/msalext/plugins/sqlite"
)

func main() {
	// The program is its own plugin for the stores that need no other binary.
	plugin.ServeIfInvoked(file.Backend(), libsecret.Backend(), dpapi.Backend(), keychain.Backend(), sqlite.Backend(), redis.Backend())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
