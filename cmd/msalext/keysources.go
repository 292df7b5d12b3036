package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
	"github.com/msalext/msalext/extensions/envelope"
)

// keySources is the help on --envelope.
func keySources() *cobra.Command {
	return &cobra.Command{
		Use:   "key-sources",
		Short: "Where the keys of an envelope can be: what --envelope takes",
		Long: "A cache that its application encrypts by Options.Envelope opens with the same source of keys:\n\n" +
			"  --envelope file:PATH                a key file (envelope.File)\n" +
			"  --envelope env:VARIABLE             keys in an environment variable (envelope.FromEnv)\n" +
			"  --envelope item:BACKEND:LOCATION    an item of a key store (envelope.FromItem)\n" +
			"  --envelope passphrase-file:PATH     a passphrase in a file of yours (envelope.FromPassphrase)\n" +
			"  --envelope passphrase-env:VARIABLE  a passphrase in an environment variable\n\n" +
			"Given several times, the first source encrypts and all decrypt (envelope.Several): so msalext rewrap\n" +
			"takes a cache from one source to another. A key in the Linux kernel's keyring needs no flag.",
	}
}

func keySourceNames() []string {
	return []string{"file:", "env:", "item:", "passphrase-file:", "passphrase-env:"}
}

// keys are the sources that --envelope names; nil where it isn't given.
func (c *command) keys(ctx context.Context, sources []string) (envelope.Keys, error) {
	var all []envelope.Keys
	for _, source := range sources {
		keys, err := c.source(ctx, source)
		if err != nil {
			return nil, err
		}
		all = append(all, keys)
	}
	switch len(all) {
	case 0:
		return nil, nil
	case 1:
		return all[0], nil
	}
	return envelope.Several(all[0], all[1:]...), nil
}

func (c *command) source(ctx context.Context, source string) (envelope.Keys, error) {
	kind, where, _ := strings.Cut(source, ":")
	if where == "" {
		return nil, usage("--envelope takes one of %s and what follows: see msalext help key-sources", strings.Join(keySourceNames(), " "))
	}
	switch kind {
	case "file":
		path, err := filepath.Abs(where)
		return &envelope.File{Path: path, Create: true}, err
	case "env":
		return envelope.FromEnv(where), nil
	case "item":
		return c.keyItem(ctx, where)
	case "passphrase-file":
		return passphraseIn(where)
	case "passphrase-env":
		return passphrase(os.Getenv(where), "the environment variable "+where)
	}
	return nil, usage("--envelope: there is no kind of source called %q: see msalext help key-sources", kind)
}

// keyItem opens the item of a key store that has the keys in it.
func (c *command) keyItem(ctx context.Context, where string) (envelope.Keys, error) {
	name, location, ok := strings.Cut(where, ":")
	if !ok {
		return nil, usage("--envelope item:BACKEND:LOCATION names the backend too, as in item:libsecret:%s", where)
	}
	p, err := c.openStore(ctx, name, location, storeFlags{})
	if err != nil {
		return nil, err
	}
	c.opened = append(c.opened, p)
	return envelope.FromItem(p), nil
}

func passphraseIn(path string) (envelope.Keys, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	text, err := atomicfile.Read(path)
	if err != nil {
		return nil, err
	}
	// Editors and echo end a file with a line break; spaces may be meant.
	return passphrase(strings.TrimSuffix(strings.TrimSuffix(string(text.Data), "\n"), "\r"), path)
}

func passphrase(text, from string) (envelope.Keys, error) {
	if text == "" {
		return nil, usage("no passphrase is in %s", from)
	}
	return envelope.FromPassphrase(backend.Secret(text), nil), nil
}
