package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/AzureAD/microsoft-authentication-extensions-for-go/cache"
	"github.com/AzureAD/microsoft-authentication-extensions-for-go/cache/accessor"
	"github.com/AzureAD/microsoft-authentication-extensions-for-go/cache/accessor/file"
	msal "github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
)

// lose has two caches, as in two processes, read before either writes, and
// prints whose accounts are there in the end.
func lose(path string) error {
	ctx := context.Background()
	var caches [2]*cache.Cache
	var both [2]entries
	for i := range caches {
		c, err := opened(path)
		if err != nil {
			return err
		}
		if err := c.Replace(ctx, &both[i], msal.ReplaceHints{}); err != nil {
			return err
		}
		caches[i] = c
	}
	for i, account := range []string{"first", "second"} {
		both[i].signedIn(account)
		if err := caches[i].Export(ctx, &both[i], msal.ExportHints{}); err != nil {
			return err
		}
	}
	return printAccounts(path)
}

// interrupted lets something happen once, right after a read.
type interrupted struct {
	accessor.Accessor
	then func() error
}

func (i *interrupted) Read(ctx context.Context) ([]byte, error) {
	data, err := i.Accessor.Read(ctx)
	if do := i.then; err == nil && do != nil {
		i.then = nil
		err = do()
	}
	return data, err
}

// stale has somebody sign in elsewhere after a cache has read and before it
// notes when; then it prints who is there for that cache, again and again, and
// for a new one.
func stale(path string) error {
	ctx := context.Background()
	other, err := opened(path)
	if err != nil {
		return err
	}
	if err := signIn(other, "first"); err != nil {
		return err
	}
	storage, err := file.New(path)
	if err != nil {
		return err
	}
	c, err := cache.New(&interrupted{storage, func() error { return signIn(other, "second") }}, path)
	if err != nil {
		return err
	}
	for range 3 {
		var e entries
		if err := c.Replace(ctx, &e, msal.ReplaceHints{}); err != nil {
			return err
		}
		fmt.Println(e.accounts())
	}
	return printAccounts(path)
}

func printAccounts(path string) error {
	c, err := opened(path)
	if err != nil {
		return err
	}
	var e entries
	if err := c.Replace(context.Background(), &e, msal.ReplaceHints{}); err != nil {
		return err
	}
	fmt.Println(e.accounts())
	return nil
}

func (e *entries) accounts() string {
	var names []string
	for _, a := range e.sections["Account"] {
		fields, _ := a.(map[string]any)
		names = append(names, fmt.Sprint(fields["username"]))
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}
