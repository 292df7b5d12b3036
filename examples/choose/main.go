// Command choose is the build_persistence sample of the MSAL Extensions in Go:
// one source file for Windows, macOS and Linux, without build tags.
//
//	choose [-allow-plaintext] [location]
//
// It takes the organisation's own store where that is installed, else the
// platform's key store. Without either it refuses, or with -allow-plaintext
// warns and keeps a plain file. It finds the items that the samples for Python
// leave on macOS and Linux, and the other way round.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/plugin"
	"github.com/msalext/msalext/plugins/dpapi"
	"github.com/msalext/msalext/plugins/file"
	"github.com/msalext/msalext/plugins/keychain"
	"github.com/msalext/msalext/plugins/libsecret"
)

func main() {
	// The program is its own plugin: nothing is installed beside it. On macOS
	// it also means that a keychain item trusts this program and no other.
	plugin.ServeIfInvoked(dpapi.Backend(), keychain.Backend(), libsecret.Backend(), file.Backend())

	allowPlaintext := flag.Bool("allow-plaintext", false, "keep tokens unencrypted where nothing else works")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, flag.Arg(0), *allowPlaintext); err != nil {
		fmt.Fprintln(os.Stderr, "choose:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, location string, allowPlaintext bool) (err error) {
	if location == "" {
		if location, err = extensions.DefaultLocation("msalext-choose"); err != nil {
			return err
		}
	}
	p, err := persistence(ctx, location, allowPlaintext)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	fmt.Println("backend:   ", p.Backend())
	fmt.Println("location:  ", p.Location())
	fmt.Println("protection:", p.Protection())
	return p.Verify(ctx)
}

// persistence never gives up encryption unless the user said so.
func persistence(ctx context.Context, location string, allowPlaintext bool) (*extensions.Persistence, error) {
	p, err := extensions.BuildPersistence(ctx, location, &extensions.Options{
		Candidates:          []string{"acme-vault", platform()}, // acme-vault is a plugin that some machines have
		FallbackToPlaintext: allowPlaintext,
		Settings: map[string]backend.Settings{
			"keychain": {"service": "my_service_name", "account": "my_account_name"},
			"libsecret": {
				"schema":             "my_schema_name",
				"attribute.my_attr1": "foo",
				"attribute.my_attr2": "bar",
			},
		},
	})
	if err != nil || p.IsEncrypted() {
		return p, err
	}
	if !allowPlaintext { // a custom store may be open and not encrypt
		return nil, errors.Join(errors.New("refusing to keep tokens unencrypted in "+p.Location()), p.Close())
	}
	fmt.Fprintln(os.Stderr, "choose: WARNING: tokens are kept unencrypted in", p.Location())
	return p, nil
}

func platform() string {
	switch runtime.GOOS {
	case "windows":
		return "dpapi"
	case "darwin":
		return "keychain"
	default:
		return "libsecret"
	}
}
