//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// looks are the ways in which each page is looked at.
var looks = []struct {
	width  int64
	scheme string
}{{360, "light"}, {360, "dark"}, {1280, "light"}, {1280, "dark"}}

// TestLooks judges every page: nothing to scroll sideways, a focus that shows on
// whatever the keyboard reaches, and what axe-core knows of accessibility.
func TestLooks(t *testing.T) {
	t.Parallel()
	app := startApp(t)
	judge, err := os.ReadFile(filepath.Join(cache(), "node", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatalf("%v: run ci/e2e/run, which installs it", err)
	}
	signedIn, other := newTab(t), newTab(t)
	signedIn.signIn(app, alice, "Alice")
	other.signIn(app, alice, "Alice")
	for _, page := range []struct {
		name  string
		p     *tab
		reach func(p *tab)
	}{
		{"start", newTab(t), func(p *tab) { p.visit(app.url); p.see(startPage) }},
		{"choose", newTab(t), func(p *tab) { p.begin(app) }},
		{"profile", signedIn, func(p *tab) { p.visit(app.url + "/me"); p.await(`document.querySelector("main img").naturalWidth > 0`) }},
		{"sessions", signedIn, func(p *tab) { p.visit(app.url + "/sessions"); p.see("Where you are signed in") }},
		{"sign-out", signedIn, func(p *tab) { p.visit(app.url + "/user/logout"); p.see("Sign out?") }},
		{"missing", signedIn, func(p *tab) { p.visit(app.url + "/nowhere"); p.see("There is nothing here") }},
		{"cancelled", newTab(t), func(p *tab) { p.begin(app); p.click("#cancel"); p.see("You were not signed in") }},
	} {
		page.reach(page.p)
		for _, look := range looks {
			if testing.Short() && (look.scheme == "dark") != (look.width > 360) {
				continue
			}
			name := fmt.Sprintf("%s-%d-%s", page.name, look.width, look.scheme)
			page.p.lookAt(name, look.width, look.scheme)
			page.p.judge(name, string(judge))
		}
		page.p.reachByKeyboard(page.name)
	}
}

func (p *tab) lookAt(name string, width int64, scheme string) {
	p.Helper()
	run(p, "resize", chromedp.EmulateViewport(width, 800))
	run(p, "choose colours", func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
		return chromedp.Void{}, err
	})
	picture := run(p, "take a picture", chromedp.FullScreenshot(100))
	if err := os.WriteFile(filepath.Join(screenshots(), name+".png"), picture, 0o600); err != nil {
		p.Fatal(err)
	}
	if wide := eval[int64](p, "document.documentElement.scrollWidth"); wide > width {
		p.Errorf("%s: it is %d wide, and has to be scrolled sideways", name, wide)
	}
}

// judge asks axe-core, which is told of no exceptions.
func (p *tab) judge(name, axe string) {
	p.Helper()
	run(p, "load axe-core", chromedp.Evaluate[any](axe+"; null"))
	found := run(p, "judge "+name, chromedp.Evaluate[[]string](`axe.run({resultTypes: ["violations"]}).then(r =>
		r.violations.map(v => v.id + ": " + v.help + ": " + v.nodes.map(n => n.html + " " + n.failureSummary).join("; ")))`, chromedp.EvalAwaitPromise))
	for _, violation := range found {
		p.Errorf("%s: %s", name, violation)
	}
}

// reachByKeyboard presses Tab until it has been everywhere.
func (p *tab) reachByKeyboard(name string) {
	p.Helper()
	want := eval[[]string](p, `(() => {
		document.activeElement.blur()
		const all = [...document.querySelectorAll("a[href], button, input:not([type=hidden])")]
		return all.map((e, i) => { e.dataset.stop = String(i); return String(i) })
	})()`)
	var reached []string
	for range want {
		run(p, "press Tab", chromedp.KeyEvent("\t"))
		stop := eval[[]string](p, `(() => {
			const e = document.activeElement, s = getComputedStyle(e), box = e.getBoundingClientRect()
			const shows = s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2
			const inside = box.width > 0 && box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth
			return [e.dataset.stop || "", shows ? "" : "no outline", inside ? "" : "outside of the window", e.outerHTML]
		})()`)
		reached = append(reached, stop[0])
		if trouble := strings.TrimSpace(stop[1] + " " + stop[2]); trouble != "" {
			p.Errorf("%s: the focus on %s doesn't show: %s", name, stop[3], trouble)
		}
	}
	if slices.Sort(reached); !slices.Equal(reached, slices.Sorted(slices.Values(want))) {
		p.Errorf("%s: the keyboard reaches %v of %v", name, reached, want)
	}
}
