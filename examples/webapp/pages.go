package main

import (
	"embed"
	"html/template"
	"io"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/msalext/msalext/msal/web"
)

//go:embed pages
var files embed.FS

// templates are the pages, in the frame that all have.
type templates struct{ *template.Template }

// parse reads the pages. Those of package web know a title alone, which top puts
// into a frame; nobody is named there, since they are shown where a sign-in went
// wrong.
func parse(pretend bool) templates {
	top := func(title string) frame { return frame{Title: title, Pretend: pretend} }
	return templates{template.Must(template.New("").Funcs(template.FuncMap{"initial": initial, "top": top}).ParseFS(files, "pages/*.tmpl"))}
}

// frame is what the frame around every page shows.
type frame struct {
	Title   string
	Here    string // the page, among those that the navigation leads to
	Name    string // of who is signed in
	CSRF    string
	Pretend bool
}

func (a *app) frame(r *http.Request, title, here string) frame {
	s := a.web.Session(r)
	return frame{title, here, s.Name(), s.CSRFToken(), a.pretend}
}

func (t templates) show(w http.ResponseWriter, status int, page string, data any) {
	var text strings.Builder
	if err := t.ExecuteTemplate(&text, page, data); err != nil {
		http.Error(w, "The page can't be shown.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text.String()) // who doesn't read it is gone
}

// initial is what stands in the place of a photo.
func initial(name string) string {
	r, size := utf8.DecodeRuneInString(strings.TrimSpace(name))
	if size == 0 || r == utf8.RuneError {
		return "?"
	}
	return string(unicode.ToUpper(r))
}

func asset(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=3600")
	http.ServeFileFS(w, r, files, "pages"+r.URL.Path)
}

func (a *app) missing(w http.ResponseWriter, r *http.Request) {
	m := web.Page{Title: "There is nothing here", Text: []string{"The address may be wrong, or the page is gone."}, Action: "To the start", Target: "/"}
	a.pages.show(w, http.StatusNotFound, "message.tmpl", m)
}
