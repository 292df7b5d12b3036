package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/extensions/tokencache"
	"github.com/msalext/msalext/plugins/file"
)

// perChanger is how many different changes one changer makes, of which
// msal-extensions takes seconds. After these it makes them again.
const perChanger = 50

// changers are the ways to change a token cache.
var changers = []string{"msal-extensions", "in process", "plugin"}

// A changer is a process that changes a token cache when told to.
type changer struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

// changer starts one, and waits until it has read the cache: how long a program
// takes to start is another question.
func (b *bench) changer(ctx context.Context, kind, location string, number, changes int) (*changer, error) {
	args := []string{location, strconv.Itoa(number), strconv.Itoa(changes)}
	cmd := exec.CommandContext(ctx, b.python, append([]string{filepath.Join(b.bin, "gains.py")}, args...)...)
	if kind != "msal-extensions" {
		cmd = exec.CommandContext(ctx, filepath.Join(b.bin, "bench"), append([]string{"change", kind}, args...)...)
	}
	return startChanger(kind, cmd)
}

// startChanger starts a program that says when it is ready.
func startChanger(kind string, cmd *exec.Cmd) (*changer, error) {
	cmd.Stderr = os.Stderr
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		return nil, err
	}
	c := &changer{cmd, in, bufio.NewScanner(out)}
	if !c.out.Scan() {
		return nil, errors.Join(fmt.Errorf("%s: it didn't start", kind), c.end())
	}
	return c, nil
}

func (c *changer) order(changes int) error {
	_, err := fmt.Fprintln(c.in, changes)
	return err
}

// done waits for what was ordered, and returns how long it took there.
func (c *changer) done() (time.Duration, error) {
	if !c.out.Scan() {
		return 0, errors.New("a process ended early")
	}
	n, err := strconv.ParseInt(c.out.Text(), 10, 64)
	return time.Duration(n), err
}

func (c *changer) end() error { return errors.Join(c.in.Close(), c.cmd.Wait()) }

// changeChild is a changer of ours; it does what gains.py does.
func changeChild(args []string) (err error) {
	ctx := context.Background()
	options := &extensions.Options{}
	if args[0] == "in process" {
		options.InProcess = []backend.Backend{file.Backend()}
	}
	p, err := extensions.Open(ctx, "file", args[1], options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	return obeying(ctx, p, args[2], args[3])
}

// obeying makes as many changes as a line on standard input says, again and
// again.
func obeying(ctx context.Context, p *persist.Persistence, number, changes string) (err error) {
	m := &modifying{cache: extensions.NewPersistedTokenCache(p, nil)}
	var err1, err2, err3 error
	m.number, err1 = strconv.Atoi(number)
	m.changes, err2 = strconv.Atoi(changes)
	m.entries, err3 = m.cache.Search(ctx, tokencache.Query{})
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	fmt.Println("ready")
	for orders := bufio.NewScanner(os.Stdin); orders.Scan(); {
		n, err := strconv.Atoi(orders.Text())
		if err != nil {
			return err
		}
		began := time.Now()
		for range n {
			if err := m.once(ctx); err != nil {
				return err
			}
		}
		fmt.Println(time.Since(began).Nanoseconds())
	}
	return nil
}

type modifying struct {
	cache   *persist.PersistedTokenCache
	entries []tokencache.Entry
	number  int // which of the changers this is
	changes int // how many different ones it makes
	made    int
}

// once sets a field. Its value differs from the last one, since a change that
// changes nothing isn't written.
func (m *modifying) once(ctx context.Context) error {
	field, value := fmt.Sprintf("p%d_%d", m.number, m.made%m.changes), strings.Repeat("x", 1+m.made/m.changes%2)
	own := (m.number + crowd*m.made) % (len(m.entries) / crowd * crowd)
	m.made++
	return m.cache.Modify(ctx, func(tc *tokencache.TokenCache) error {
		_, err := tc.Modify(m.entries[own], map[string]any{field: value})
		return err
	})
}

// changeable is a cache of that many entries, with the keys of MSAL Python,
// which can't change one under another.
func changeable(entries int) ([]byte, error) {
	var cache tokencache.TokenCache
	for i := range entries / perPerson {
		for _, scope := range []string{"User.Read", "Mail.Read"} {
			if err := cache.Add(signedIn(i, scope)); err != nil {
				return nil, err
			}
		}
	}
	return cache.Serialize(), nil
}

func signedIn(person int, scope string) tokencache.Event {
	secret := func(kind string) string { return fmt.Sprint(kind, person, scope, strings.Repeat("m", 1300)) }
	return tokencache.Event{
		ClientID: clientID, Scopes: []string{scope}, TokenEndpoint: authority + "/oauth2/v2.0/token", GrantType: "password",
		Response: fmt.Appendf(nil, `{"access_token":"%s","refresh_token":"%s","expires_in":86400,"id_token":"e30.e30.%s","id_token_claims":{"oid":"%d","sub":"%d","preferred_username":"%s"}}`,
			secret("at"), secret("rt"), secret("idt"), person, person, personName(person)),
		Now: time.Now(),
	}
}
