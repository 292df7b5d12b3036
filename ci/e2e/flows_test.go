//go:build e2e

package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
)

const (
	alice = "alice@contoso.example"
	bob   = "bob@contoso.example"

	startPage   = "Find out who you are"
	choosePage  = "Choose an account"
	usedPage    = "This sign-in was already used"
	unknownPage = "This sign-in can't be finished"
)

// begin goes to the page of the identity provider.
func (p *tab) begin(app *server) {
	p.Helper()
	p.visit(app.url)
	p.see(startPage)
	p.click("main .button")
	p.see(choosePage)
}

// choose is what a person does there.
func (p *tab) choose(username string) {
	p.Helper()
	p.click(`button[value="` + username + `"]`)
}

// signIn ends at the profile.
func (p *tab) signIn(app *server, username, name string) {
	p.Helper()
	p.begin(app)
	p.choose(username)
	p.see(name)
}

// goBack presses the browser's button, and doesn't wait: a page that was put aside
// isn't loaded.
func (p *tab) goBack() {
	p.Helper()
	eval[any](p, "history.back(), null")
}

func (p *tab) at(path string) {
	p.Helper()
	if got := eval[string](p, "location.pathname"); got != path {
		p.Errorf("it is at %s, not %s", got, path)
	}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	app := startApp(t)
	p := newTab(t)
	p.signIn(app, alice, "Alice")
	p.at("/me")
	for _, want := range []string{"Grace, Director", alice, "encrypted, in sqlite"} {
		if text := p.text(); !strings.Contains(text, want) {
			t.Errorf("the profile lacks %q:\n%s", want, text)
		}
	}
	p.await(`document.querySelector("main img").naturalWidth > 0`)
	cookies := p.cookies(app.url)
	if len(cookies) != 1 {
		t.Errorf("%d cookies are left after the sign-in: %v", len(cookies), cookies)
	}
	for name, c := range cookies {
		if !strings.HasPrefix(name, "__Host-") || !c.Secure || !c.HTTPOnly || c.SameSite != network.CookieSameSiteLax {
			t.Errorf("cookie %s: %+v", name, c)
		}
	}
	p.click("nav button")
	p.see(startPage)
	if left := p.cookies(app.url); len(left) > 0 {
		t.Errorf("cookies after the sign-out: %v", left)
	}
	// What was seen before isn't shown to whoever presses the button next.
	p.goBack()
	p.see(choosePage)
}

func TestPersonWithoutPhoto(t *testing.T) {
	t.Parallel()
	p := newTab(t)
	p.signIn(startApp(t), bob, "Bob")
	p.await(`document.querySelector("main img").complete`)
	if width := eval[int](p, `document.querySelector("main img").naturalWidth`); width != 0 {
		t.Errorf("somebody's photo is shown, %d wide", width)
	}
}

func TestPersonWithoutManager(t *testing.T) {
	t.Parallel()
	p := newTab(t)
	p.begin(startApp(t))
	p.write("input[type=email]", "grace@contoso.example\r")
	p.see("Grace")
	if text := p.text(); !strings.Contains(text, "There is nobody above you") {
		t.Errorf("the profile tells of a manager:\n%s", text)
	}
}

func TestWhereOneWasGoing(t *testing.T) {
	t.Parallel()
	app := startApp(t)
	p := newTab(t)
	p.visit(app.url + "/sessions?x=1#there")
	p.see(choosePage)
	p.choose(alice)
	p.see("Where you are signed in")
	if got := p.url(); !strings.HasPrefix(got, app.url+"/sessions?x=1") {
		t.Errorf("it is at %s", got)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	app := startApp(t)
	p := newTab(t)
	p.begin(app)
	p.click("#cancel")
	p.see("You were not signed in")
	p.click("main .button")
	p.see(choosePage)
	p.choose(alice)
	p.see("Alice")
}
