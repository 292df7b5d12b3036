// Command app is an application that keeps its tokens in a backend which msalext
// doesn't ship, and refuses to go on without encryption.
//
//	app IDENTITY-FILE [location]
//
// It knows nothing of the backend but its name and a setting. The plugin,
// msalext-plugin-age, lies in the folder msalext-plugins beside this program.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "app:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	location, err := extensions.DefaultLocation("msalext-custom-backend")
	switch {
	case len(args) == 2:
		location = args[1]
	case len(args) != 1:
		return errors.New("usage: app IDENTITY-FILE [location]")
	case err != nil:
		return err
	}
	p, err := extensions.BuildPersistence(ctx, location, &extensions.Options{
		Candidates: []string{"age"},
		Settings:   map[string]backend.Settings{"age": {"identity-file": args[0]}},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	if !p.IsEncrypted() {
		return errors.New("tokens would not be encrypted")
	}
	fmt.Println("backend:   ", p.Backend())
	fmt.Println("protection:", p.Protection())
	// In place of MSAL's: examples/quickstart has the rest.
	return p.Update(ctx, func(old []byte) ([]byte, error) {
		fmt.Printf("stored:     %d bytes before, %d now\n", len(old), len(old)+1)
		return append(old, '.'), nil
	})
}
