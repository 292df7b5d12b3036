package web

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

// Page is what a person is shown; see Config.Page.
type Page struct {
	Title string
	Text  []string // paragraphs
	// Action is what the button says, and Target where it leads, which is a path of
	// this application. Fields are sent with it by POST; none: it is a link.
	Action, Target string
	Fields         map[string]string
	// Code is the identity provider's word for what happened, for support. It may
	// be empty.
	Code string
}

var (
	//go:embed pages/page.html
	pageHTML string
	//go:embed pages/page.css
	pageCSS string

	ownPage = template.Must(template.New("page").Funcs(template.FuncMap{"css": func() template.CSS { return template.CSS(pageCSS) }}).Parse(pageHTML))
)

// answer sends a page to a person, and to a program what it can read.
func (a *App) answer(w http.ResponseWriter, r *http.Request, status int, p Page) {
	if !takesHTML(r) {
		sendJSON(w, status, struct {
			Error string `json:"error"`
			Code  string `json:"code,omitempty"`
			Login string `json:"login,omitempty"`
		}{p.Title, p.Code, a.loginOf(status)})
		return
	}
	var body bytes.Buffer
	if err := a.page.Execute(&body, p); err != nil {
		a.log.ErrorContext(r.Context(), "page template", "err", err)
		http.Error(w, p.Title, status)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", a.policy(r, p))
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // the browser is gone where this fails
}

func (a *App) loginOf(status int) string {
	if status == http.StatusUnauthorized {
		return routes + "login"
	}
	return ""
}

// policy lets pages load nothing and run nothing. Browsers apply form-action also
// to where a form's answer leads, which for the sign-out is the identity
// provider.
func (a *App) policy(r *http.Request, p Page) string {
	styles := "'self'; img-src 'self'; font-src 'self'"
	if a.cfg.Page == nil {
		sum := sha256.Sum256([]byte(pageCSS))
		styles = "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	forms := "'none'"
	if len(p.Fields) > 0 {
		forms = "'self'"
		if about, err := a.provider(r.Context()); err == nil {
			forms = strings.TrimSpace(forms + " " + origin(about.EndSession))
		}
	}
	return "default-src 'none'; style-src " + styles + "; form-action " + forms + "; frame-ancestors 'none'; base-uri 'none'"
}

// origin is scheme and host, and "" where that can't go into a policy.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || !private(u) || strings.ContainsAny(u.Host, " ;,'") {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
