//go:build e2e

package e2e

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// TestWrongState: an answer that this browser didn't ask for.
func TestWrongState(t *testing.T) {
	t.Parallel()
	app := startApp(t)
	p := newTab(t)
	p.begin(app)
	eval[any](p, `(() => {
		const form = document.createElement("form")
		form.method = "post"
		form.action = `+quoted(app.url+"/user/authorized")+`
		form.innerHTML = '<input name="code" value="stolen"><input name="state" value="forged">'
		document.body.append(form)
		form.submit()
	})()`)
	p.see(unknownPage)
	p.visit(app.url)
	p.see(startPage) // nobody is signed in
	p.signIn(app, alice, "Alice")
}

// TestBackButton: a person goes back to the identity provider's page, and
// chooses again.
func TestBackButton(t *testing.T) {
	t.Parallel()
	app := startApp(t)
	p := newTab(t)
	p.signIn(app, alice, "Alice")
	p.goBack()
	p.see(choosePage)
	p.choose(alice)
	p.see(usedPage)
	q := p.beside()
	q.visit(app.url + "/me")
	q.see("Alice") // nobody was signed out
	p.getThrough("Alice")
}

// TestTwice: the identity provider's answer to one sign-in comes twice, from two
// tabs.
func TestTwice(t *testing.T) {
	t.Parallel()
	app := startApp(t)
	p := newTab(t)
	p.begin(app)
	q := p.beside()
	q.visit(p.url())
	q.see(choosePage)
	p.choose(alice)
	p.see("Alice")
	q.choose(alice)
	q.see(usedPage)
	q.getThrough("Alice")
	p.visit(app.url + "/me")
	p.see("Alice")
}

// TestDoubleSubmit: a person without scripts clicks twice on what leads back to
// the application. The browser drops the first answer, with its cookie.
func TestDoubleSubmit(t *testing.T) {
	t.Parallel()
	app := startApp(t)
	p := newTab(t)
	p.begin(app)
	run(p, "switch scripts off", func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return chromedp.Void{}, err
	})
	p.choose(alice)
	p.see("Working…")
	run(p, "click twice", chromedp.DoubleClick("noscript button", chromedp.NodeVisible))
	p.see("Alice", usedPage)
	p.getThrough("Alice")
}

// getThrough does what a person would who wants to be signed in.
func (p *tab) getThrough(heading string) {
	p.Helper()
	for range 5 {
		switch p.see(heading, usedPage, choosePage) {
		case heading:
			return
		case choosePage:
			p.choose(alice)
			p.await("!location.pathname.endsWith('/authorize')")
		default:
			p.click("main .button")
			p.see(heading, choosePage)
		}
	}
	p.Fatalf("no way leads to %s\n%s", heading, p.text())
}

// TestExpiredFlow: browsers drop the cookie of a sign-in after ten minutes.
func TestExpiredFlow(t *testing.T) {
	t.Parallel()
	app := startApp(t)
	p := newTab(t)
	p.begin(app)
	flows := 0
	for name, c := range p.cookies(app.url + "/user/authorized") {
		if c.SameSite != network.CookieSameSiteNone {
			continue
		}
		flows++
		run(p, "drop the cookie", func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
			_, err := chromedp.Call(ctx, network.DeleteCookies, network.DeleteCookiesParams{Name: name, Domain: c.Domain, Path: c.Path})
			return chromedp.Void{}, err
		})
	}
	if flows != 1 {
		t.Fatalf("%d cookies of sign-ins", flows)
	}
	p.choose(alice)
	p.see(unknownPage)
	p.click("main .button")
	p.see(choosePage)
	p.choose(alice)
	p.see("Alice")
}
