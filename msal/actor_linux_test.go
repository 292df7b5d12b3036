package msal_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	msalcache "github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/internal/testproc"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

func init() {
	children["actor"] = func(args []string) error { return act(args[0], args[1] == "retries") }
}

// An actor is a process with an MSAL client that does what it is told, a line
// at a time.
type actor struct {
	*testing.T
	in  io.Writer
	out *bufio.Scanner
}

// actor starts one on the world's cache. With retries its requests go through
// msal.HTTPClient.
func (w *world) actor(retries bool) *actor {
	w.Helper()
	mode := map[bool]string{true: "retries", false: "plain"}[retries]
	cmd := testproc.Command(w.T, "actor", filepath.Dir(w.path), mode)
	cmd.Env = append(cmd.Env, w.srv.Env()...)
	cmd.Stderr = os.Stderr
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = cmd.Wait() }) // killed with the test's context
	return &actor{w.T, in, bufio.NewScanner(out)}
}

// does has the actor do something, and returns what came of it: "ok" or more.
func (a *actor) does(order string) string {
	a.Helper()
	if _, err := fmt.Fprintln(a.in, order); err != nil {
		a.Fatal(order, err)
	}
	if !a.out.Scan() {
		a.Fatalf("%s: the process has ended: %v", order, a.out.Err())
	}
	return a.out.Text()
}

func (a *actor) expect(order, answer string) {
	a.Helper()
	if got := a.does(order); got != answer {
		a.Fatalf("%s: %q instead of %q", order, got, answer)
	}
}

// player is the actor's side.
type player struct {
	ctx    context.Context
	client public.Client
	steps  steps
	ended  chan string   // what came of a silent call in the background
	stop   chan struct{} // ends the loop
}

func act(dir string, retries bool) error {
	ctx := context.Background()
	remote, err := msaltest.ConnectEnv()
	if err != nil {
		return err
	}
	p := &player{ctx: ctx, steps: steps{make(chan string), make(chan struct{})}, ended: make(chan string)}
	cache, _, err := openAndJoin(ctx, remote, dir, nil)
	if err != nil {
		return err
	}
	var sender msal.Doer = stepping{remote.Client(), p.steps}
	if retries {
		sender = msal.HTTPClient(cache, sender)
	}
	p.client, err = public.New("client", public.WithAuthority(remote.Authority()), public.WithHTTPClient(sender),
		public.WithInstanceDiscovery(false), public.WithCache(steppingAccessor{msal.Accessor(cache), p.steps}))
	if err != nil {
		return err
	}
	for orders := bufio.NewScanner(os.Stdin); orders.Scan(); {
		order, who, _ := strings.Cut(orders.Text(), " ")
		fmt.Println(strings.ReplaceAll(p.do(order, who), "\n", " "))
	}
	return cache.Close(ctx)
}

func (p *player) do(order, who string) string {
	switch order {
	case "sign-in":
		_, err := byPassword(p.ctx, p.client, who)
		return outcome(err)
	case "sign-out":
		account, err := p.find(who)
		if err == nil {
			err = p.client.RemoveAccount(p.ctx, account)
		}
		return outcome(err)
	case "refresh":
		return p.silent(p.ctx, who)
	case "refresh-in-steps":
		go func() { p.ended <- p.silent(context.WithValue(p.ctx, inSteps{}, true), who) }()
		return p.step()
	case "go":
		p.steps.on <- struct{}{}
		return p.step()
	case "refresh-on-and-on":
		p.stop = make(chan struct{})
		go p.loop(who)
		return "ok"
	case "stop":
		close(p.stop)
		return <-p.ended
	}
	return "unknown order"
}

func outcome(err error) string {
	if err != nil {
		return "error: " + err.Error()
	}
	return "ok"
}

func (p *player) find(who string) (public.Account, error) {
	accounts, err := p.client.Accounts(p.ctx)
	for _, a := range accounts {
		if a.PreferredUsername == who {
			return a, nil
		}
	}
	return public.Account{}, errors.Join(err, errors.New("not signed in"))
}

func (p *player) silent(ctx context.Context, who string) string {
	account, err := p.find(who)
	if err == nil {
		_, err = p.client.AcquireTokenSilent(ctx, scopes, public.WithSilentAccount(account))
	}
	return outcome(err)
}

// loop refreshes until it is stopped or the token is gone. It tells when the
// last success was.
func (p *player) loop(who string) {
	var last time.Time
	account, err := p.find(who)
	for err == nil {
		select {
		case <-p.stop:
			err = errors.New("stopped")
		default:
			if _, err = p.client.AcquireTokenSilent(p.ctx, scopes, public.WithSilentAccount(account)); err == nil {
				last = time.Now()
			}
		}
	}
	p.ended <- fmt.Sprintf("%d %v", last.UnixNano(), err)
}

// steps are where a silent call waits to be told to go on.
type steps struct {
	at chan string
	on chan struct{}
}

type inSteps struct{}

func (s steps) pass(ctx context.Context, step string) {
	if ctx.Value(inSteps{}) != nil {
		s.at <- step
		<-s.on
	}
}

// step waits until the call is at a step or has ended.
func (p *player) step() string {
	select {
	case step := <-p.steps.at:
		return "at " + step
	case result := <-p.ended:
		return result
	}
}

// stepping is an HTTP client with a step before and after each request of a
// token.
type stepping struct {
	msal.Doer
	steps
}

func (s stepping) Do(req *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(req.URL.Path, "/token") {
		return s.Doer.Do(req)
	}
	s.pass(req.Context(), "request")
	resp, err := s.Doer.Do(req)
	s.pass(req.Context(), "answer")
	return resp, err
}

// steppingAccessor has a step before what MSAL acquired is stored.
type steppingAccessor struct {
	msalcache.ExportReplace
	steps
}

func (s steppingAccessor) Export(ctx context.Context, m msalcache.Marshaler, h msalcache.ExportHints) error {
	s.pass(ctx, "export")
	return s.ExportReplace.Export(ctx, m, h)
}
