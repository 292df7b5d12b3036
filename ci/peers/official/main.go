// Command official is Microsoft's MSAL Extensions for Go as a peer of msalext,
// for ci/interop.
//
//	official change PATH NAME N MS   at the first line: sign N accounts in, NAME-0
//	                                 and so on, MS milliseconds apart
//	official read PATH               answer for each line whether that account is there
//	official lose PATH               show that a change is lost when two read before either writes
//	official stale PATH              show that a cache which read during a write stays behind
//
// Its lock package is internal, so that the commands "hold PATH" and "contend
// PATH NAME N MS" hold the lock inside Export: they stay in the storage that
// Export writes to.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/AzureAD/microsoft-authentication-extensions-for-go/cache"
	"github.com/AzureAD/microsoft-authentication-extensions-for-go/cache/accessor"
	"github.com/AzureAD/microsoft-authentication-extensions-for-go/cache/accessor/file"
	msal "github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(what, path string, args []string) error {
	switch what {
	case "hold":
		return hold(path)
	case "contend":
		return contend(path, args[0], number(args[1]), time.Duration(number(args[2]))*time.Millisecond)
	case "change":
		return change(path, args[0], number(args[1]), time.Duration(number(args[2]))*time.Millisecond)
	case "read":
		return read(path)
	case "lose":
		return lose(path)
	case "stale":
		return stale(path)
	}
	return fmt.Errorf("no command %q", what)
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

// locked is a storage that does something else when it is written, which is
// when Export has the lock.
type locked struct {
	accessor.Accessor
	do func()
}

func (l locked) Write(context.Context, []byte) error { l.do(); return nil }

func within(path string, do func()) error {
	c, err := cache.New(locked{do: do}, path)
	if err != nil {
		return err
	}
	return c.Export(context.Background(), &entries{}, msal.ExportHints{})
}

func hold(path string) error {
	fmt.Println("ready")
	input := bufio.NewScanner(os.Stdin)
	input.Scan()
	err := within(path, func() {
		fmt.Println("held")
		input.Scan()
	})
	if err != nil {
		fmt.Println("refused", err)
		return nil
	}
	fmt.Println("released")
	return nil
}

func contend(path, name string, rounds int, stay time.Duration) error {
	witness, err := os.OpenFile(path+".witness", os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	bufio.NewScanner(os.Stdin).Scan()
	for range rounds {
		err := within(path, func() {
			fmt.Fprintf(witness, "start %s %d\n", name, os.Getpid())
			time.Sleep(stay)
			fmt.Fprintf(witness, "end %s %d\n", name, os.Getpid())
		})
		if err != nil {
			fmt.Println("refused", err)
			continue
		}
		fmt.Println("had")
	}
	return nil
}

// entries is a token cache that keeps what it doesn't know.
type entries struct{ sections map[string]map[string]any }

func (e *entries) Unmarshal(data []byte) error {
	e.sections = map[string]map[string]any{}
	if len(data) == 0 {
		return nil
	}
	return json.Unmarshal(data, &e.sections)
}

func (e *entries) Marshal() ([]byte, error) { return json.Marshal(e.sections) }

func (e *entries) put(section, key string, entry map[string]any) {
	if e.sections[section] == nil {
		e.sections[section] = map[string]any{}
	}
	e.sections[section][key] = entry
}

// signIn is what MSAL for Go does with the answer of a token endpoint: read,
// add, write.
func signIn(c *cache.Cache, account string) error {
	ctx, e := context.Background(), &entries{}
	if err := c.Replace(ctx, e, msal.ReplaceHints{}); err != nil {
		return err
	}
	e.signedIn(account)
	return c.Export(ctx, e, msal.ExportHints{})
}

// signedIn adds what a sign-in brings.
func (e *entries) signedIn(account string) {
	home, host := account+".t", "login.microsoftonline.com"
	e.put("Account", home+"-"+host+"-t", map[string]any{
		"home_account_id": home, "environment": host, "realm": "t", "local_account_id": account, "username": account, "authority_type": "MSSTS",
	})
	e.put("RefreshToken", home+"-"+host+"-refreshtoken-c--", map[string]any{
		"home_account_id": home, "environment": host, "client_id": "c", "credential_type": "RefreshToken", "secret": "rt-" + account,
	})
}

func opened(path string) (*cache.Cache, error) {
	storage, err := file.New(path)
	if err != nil {
		return nil, err
	}
	return cache.New(storage, path)
}

func change(path, name string, count int, pause time.Duration) error {
	c, err := opened(path)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	bufio.NewScanner(os.Stdin).Scan()
	for i := range count {
		time.Sleep(pause)
		account := fmt.Sprintf("%s-%d", name, i)
		if err := signIn(c, account); err != nil {
			fmt.Println("failed", account, err)
			continue
		}
		fmt.Println("stored", account)
	}
	return nil
}

func read(path string) error {
	c, err := opened(path)
	if err != nil {
		return err
	}
	client, err := public.New("c", public.WithCache(c))
	if err != nil {
		return err
	}
	fmt.Println("ready")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		accounts, err := client.Accounts(context.Background())
		switch {
		case err != nil:
			fmt.Println("failed", err)
		case slices.ContainsFunc(accounts, func(a public.Account) bool { return a.HomeAccountID == lines.Text()+".t" }):
			fmt.Println("yes")
		default:
			fmt.Println("no")
		}
	}
	return nil
}
