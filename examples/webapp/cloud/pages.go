package cloud

import (
	"embed"
	"html/template"
	"net/http"
	"net/url"
)

//go:embed *.tmpl
var files embed.FS

var pages = template.Must(template.ParseFS(files, "*.tmpl"))

// People are the accounts that the page offers. Any other address works, too.
var People = []string{"alice@contoso.example", "bob@contoso.example"}

// policy lets the pages have the style that they bring, and send forms to the
// application, wherever that is.
const policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; frame-ancestors 'none'"

func show(w http.ResponseWriter, status int, page string, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = pages.ExecuteTemplate(w, page, data) // who doesn't read it is gone
}

// choose asks who signs in.
func (c *Cloud) choose(w http.ResponseWriter, r *http.Request) {
	show(w, http.StatusOK, "choose.tmpl", map[string]any{
		"Client": r.URL.Query().Get("client_id"), "Hint": r.URL.Query().Get("login_hint"), "People": People,
	})
}

// chosen leads back to the application, with nobody where the person gave up.
func (c *Cloud) chosen(w http.ResponseWriter, r *http.Request) {
	params, err := c.entra.Authorize(r.URL.String(), r.PostFormValue("username"))
	if err != nil {
		show(w, http.StatusBadRequest, "refused.tmpl", err.Error())
		return
	}
	query := r.URL.Query()
	if query.Get("response_mode") == "form_post" {
		show(w, http.StatusOK, "back.tmpl", map[string]any{"Action": query.Get("redirect_uri"), "Params": params})
		return
	}
	back, err := url.Parse(query.Get("redirect_uri"))
	if err != nil {
		show(w, http.StatusBadRequest, "refused.tmpl", err.Error())
		return
	}
	back.RawQuery = params.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

// signedOut is the end of a session at the identity provider.
func signedOut(w http.ResponseWriter, r *http.Request) {
	if back := r.URL.Query().Get("post_logout_redirect_uri"); back != "" {
		http.Redirect(w, r, back, http.StatusFound)
		return
	}
	show(w, http.StatusOK, "signedout.tmpl", nil)
}
