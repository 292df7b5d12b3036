//go:build e2e

package e2e

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// patience is ten times and more what anything awaited needs.
const patience = 60 * time.Second

// browser is the one that all tests have tabs of; it is started in TestMain.
var browser context.Context

func startBrowser(dir string) (stop func(), err error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, // it refuses to have one as root
		chromedp.IgnoreCertErrors,
		chromedp.ExecPath("/usr/bin/chromium"),
		chromedp.UserDataDir(filepath.Join(dir, "profile")))
	allocator, endAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, endContext := chromedp.NewContext(allocator)
	browser = ctx
	return func() { endContext(); endAllocator() }, chromedp.Do(ctx)
}

// A tab is a page of the browser. Whatever it is told has to work.
type tab struct {
	testing.TB
	ctx context.Context
}

// newTab opens a tab that shares nothing with those of other calls, as if each
// belonged to another person.
func newTab(t testing.TB) *tab { return openTab(t, browser, chromedp.WithNewBrowserContext()) }

// beside opens another tab of the same person.
func (p *tab) beside() *tab { return openTab(p.TB, p.ctx) }

func openTab(t testing.TB, parent context.Context, options ...chromedp.ContextOption) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(parent, options...)
	t.Cleanup(cancel)
	p := &tab{t, ctx}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			p.leaveBehind()
		}
	})
	return p
}

// leaveBehind shows people what the tab looked like when its test failed.
func (p *tab) leaveBehind() {
	ctx, cancel := context.WithTimeout(p.ctx, 10*time.Second)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	url, err2 := chromedp.Run(ctx, chromedp.Location())
	path := filepath.Join(screenshots(), "failed-"+strings.ReplaceAll(p.Name(), "/", "-")+".png")
	p.Logf("it was at %s; see %s: %v", url, path, errors.Join(err, err2, os.WriteFile(path, picture, 0o600)))
}

func run[T any](p *tab, what string, a chromedp.Action[T]) T {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		p.Fatalf("%s: %v", what, err)
	}
	return v
}

func (p *tab) visit(url string) {
	p.Helper()
	run(p, "visit "+url, chromedp.Navigate(url))
}

// see waits for a page whose heading is one of those, and tells which.
func (p *tab) see(headings ...string) string {
	p.Helper()
	var wanted []string
	for _, h := range headings {
		wanted = append(wanted, quoted(h))
	}
	return p.awaitText(`[` + strings.Join(wanted, ",") + `].find(h => [...document.querySelectorAll("h1")].some(e => e.innerText.trim() === h)) || ""`)
}

// await waits until a script is true, on whichever page comes.
func (p *tab) await(script string) {
	p.Helper()
	p.awaitText("(" + script + ") ? 'yes' : ''")
}

// awaitText waits until a script gives a text, and returns that.
func (p *tab) awaitText(script string) string {
	p.Helper()
	deadline := time.Now().Add(patience)
	for {
		ctx, cancel := context.WithDeadline(p.ctx, deadline)
		text, err := chromedp.Run(ctx, chromedp.Evaluate[string](script)) // fails while pages change
		cancel()
		if text != "" {
			return text
		}
		if time.Now().After(deadline) {
			p.Fatalf("waited in vain for %s: %v\n%s", script, err, p.text())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// click clicks what a person would find by a selector.
func (p *tab) click(selector string) {
	p.Helper()
	run(p, "click "+selector, chromedp.Click(selector, chromedp.NodeVisible))
}

func (p *tab) write(selector, text string) {
	p.Helper()
	run(p, "write into "+selector, chromedp.SendKeys(selector, text, chromedp.NodeVisible))
}

func (p *tab) text() string { return eval[string](p, "document.body.innerText") }

func (p *tab) url() string {
	p.Helper()
	return run(p, "look at the address", chromedp.Location())
}

func eval[T any](p *tab, script string) T {
	p.Helper()
	return run(p, script, chromedp.Evaluate[T](script))
}

// cookies are those that the browser would send to a page, by name.
func (p *tab) cookies(url string) map[string]*network.Cookie {
	p.Helper()
	all := map[string]*network.Cookie{}
	result := run(p, "look at the cookies", func(ctx context.Context, _ *chromedp.Target) (network.GetCookiesResult, error) {
		return chromedp.Call(ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{url}})
	})
	for _, c := range result.Cookies {
		all[c.Name] = c
	}
	return all
}

// quoted is text as a script writes it.
func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(text) + `"`
}
