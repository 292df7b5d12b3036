//go:build e2e

package e2e

import (
	"testing"
)

func TestTwoTabs(t *testing.T) {
	t.Parallel()
	app := startApp(t)
	p := newTab(t)
	p.begin(app)
	q := p.beside()
	q.begin(app)
	q.choose(alice)
	q.see("Alice")
	p.choose(alice)
	p.see("Alice")
	// What one signs out of is over in the other.
	p.click("nav button")
	p.see(startPage)
	q.click(`nav a[href="/sessions"]`)
	q.see(choosePage)
}

func TestSignOutEverywhere(t *testing.T) {
	t.Parallel()
	app := startApp(t)
	laptop, phone, other := newTab(t), newTab(t), newTab(t)
	laptop.signIn(app, alice, "Alice")
	phone.signIn(app, alice, "Alice")
	other.signIn(app, bob, "Bob")
	laptop.click(`nav a[href="/sessions"]`)
	laptop.see("Where you are signed in")
	if n := eval[int](laptop, `document.querySelectorAll(".rows > li").length`); n != 2 {
		t.Errorf("%d sessions are listed", n)
	}
	laptop.click(".button.danger")
	laptop.see(startPage)
	phone.click(`nav a[href="/sessions"]`)
	phone.see(choosePage)
	other.visit(app.url + "/me")
	other.see("Bob")
}

func TestSignOutOfAnotherBrowser(t *testing.T) {
	t.Parallel()
	app := startApp(t)
	laptop, phone := newTab(t), newTab(t)
	laptop.signIn(app, alice, "Alice")
	phone.signIn(app, alice, "Alice")
	laptop.visit(app.url + "/sessions")
	laptop.click(".rows button")
	laptop.await(`document.querySelectorAll(".rows > li").length === 1`)
	phone.visit(app.url + "/me")
	phone.see(choosePage)
	laptop.visit(app.url + "/me")
	laptop.see("Alice")
}

// TestRestart: who is signed in stays so, as far as the stores go.
func TestRestart(t *testing.T) {
	t.Parallel()
	dir, address := t.TempDir(), "127.0.0.1:"+freePort(t)
	p := newTab(t)
	first := startApp(t, "WEBAPP_DATA="+dir, "WEBAPP_LISTEN="+address)
	p.signIn(first, alice, "Alice")
	first.stop(t)
	second := startApp(t, "WEBAPP_DATA="+dir, "WEBAPP_LISTEN="+address)
	p.visit(second.url + "/sessions")
	p.see("Where you are signed in")
}
