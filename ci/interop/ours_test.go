//go:build interop

package interop

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/extensions/tokencache"
	"github.com/msalext/msalext/internal/filelock"
	"github.com/msalext/msalext/plugins/file"
)

// What follows runs in processes of their own, and speaks as the programs in
// ci/peers do.

func hold(args []string) error {
	fmt.Println("ready")
	input := bufio.NewScanner(os.Stdin)
	input.Scan()
	l, err := filelock.Acquire(context.Background(), args[0], lockOptions())
	if err != nil {
		fmt.Println("refused", err)
		return nil
	}
	fmt.Println("held")
	input.Scan()
	if err := l.Release(); err != nil {
		return err
	}
	fmt.Println("released")
	return nil
}

func contend(args []string) error {
	path, name := args[0], args[1]
	rounds, stay := number(args[2]), time.Duration(number(args[3]))*time.Millisecond
	w, err := os.OpenFile(path+".witness", os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	input := bufio.NewScanner(os.Stdin)
	input.Scan()
	ended := make(chan struct{})
	go func() {
		input.Scan()
		close(ended)
	}()
	for n := 0; n != rounds; n++ { // without end where rounds is -1
		select {
		case <-ended:
			return w.Close()
		default:
		}
		l, err := filelock.Acquire(context.Background(), path, lockOptions())
		if err != nil {
			fmt.Println("refused", err)
			continue
		}
		fmt.Fprintf(w, "start %s %d\n", name, os.Getpid())
		time.Sleep(stay)
		fmt.Fprintf(w, "end %s %d\n", name, os.Getpid())
		if err := l.Release(); err != nil {
			return err
		}
		fmt.Println("had")
	}
	return w.Close()
}

func lockOptions() filelock.Options {
	return filelock.Options{Java: os.Getenv(javaEnv) != ""}
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err) // the tests' own mistake
	}
	return n
}

// opened is the token cache at path, with the file backend linked in.
func opened(path string) (*persist.PersistedTokenCache, error) {
	c := backend.Config{Location: path, Path: path}
	store, err := file.Backend().Open(context.Background(), c)
	if err != nil {
		return nil, err
	}
	p := persist.New("file", store, c, &persist.Options{JavaLock: os.Getenv(javaEnv) != ""})
	return persist.NewPersistedTokenCache(p, insistence()), nil
}

// insistence is what a program needs that shares a cache with those that take
// away what others write, and that damage the file when they write at once.
func insistence() *persist.CacheOptions {
	insist := os.Getenv(insistEnv) != ""
	return &persist.CacheOptions{RestoreOverwritten: insist, Quarantine: insist}
}

// signIn is what a token endpoint answers when that account signs in.
func signIn(account string) tokencache.Event {
	info := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"uid":"%s","utid":"t"}`, account))
	claims := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"oid":"%[1]s","preferred_username":"%[1]s"}`, account))
	return tokencache.Event{
		ClientID: "c", Scopes: []string{"s"}, TokenEndpoint: "https://login.microsoftonline.com/t/oauth2/v2.0/token",
		GrantType: "authorization_code",
		Response: fmt.Appendf(nil, `{"access_token":"at-%[1]s","refresh_token":"rt-%[1]s","id_token":"e30.%[2]s.x","client_info":"%[3]s","expires_in":3600}`,
			account, claims, info),
	}
}

func change(args []string) error {
	c, err := opened(args[0])
	if err != nil {
		return err
	}
	fmt.Println("ready")
	input := bufio.NewScanner(os.Stdin)
	input.Scan()
	for i := range number(args[2]) {
		time.Sleep(time.Duration(number(args[3])) * time.Millisecond)
		account := args[1] + "-" + strconv.Itoa(i)
		if err := c.Add(context.Background(), signIn(account)); err != nil {
			fmt.Println("failed", account, err)
			continue
		}
		fmt.Println("stored", account)
	}
	input.Scan() // as a program that goes on running: until the others are done too
	return c.Close(context.Background())
}

func read(args []string) error {
	c, err := opened(args[0])
	if err != nil {
		return err
	}
	fmt.Println("ready")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		there, err := has(c, lines.Text())
		switch {
		case err != nil:
			fmt.Println("failed", err)
		case there:
			fmt.Println("yes")
		default:
			fmt.Println("no")
		}
	}
	return nil
}

func has(c *persist.PersistedTokenCache, account string) (bool, error) {
	accounts, err := c.Accounts(context.Background())
	return slices.ContainsFunc(accounts, func(a tokencache.Account) bool { return a.HomeAccountID == account+".t" }), err
}

// watch reads without pause until stdin ends, and says what went wrong.
func watch(args []string) error {
	c, err := opened(args[0])
	if err != nil {
		return err
	}
	fmt.Println("ready")
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	for n := 0; ; n++ {
		select {
		case <-ended:
			fmt.Println("looked", n)
			return nil
		case <-time.After(time.Millisecond):
		}
		if _, err := c.Accounts(context.Background()); err != nil {
			fmt.Println("failed", err)
		}
	}
}
