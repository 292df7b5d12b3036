package main

import (
	"encoding/json"
	"net/http"

	"github.com/msalext/msalext/msal/web"
)

func (a *app) home(w http.ResponseWriter, r *http.Request) {
	if a.web.Session(r).SignedIn() {
		http.Redirect(w, r, "/me", http.StatusSeeOther)
		return
	}
	a.pages.show(w, http.StatusOK, "home.tmpl", a.frame(r, "Start", ""))
}

type fact struct{ Name, Value string }

// me shows who is signed in. A person whom Graph asks to sign in again is led
// there.
func (a *app) me(w http.ResponseWriter, r *http.Request) {
	s := a.web.Session(r)
	person, err := s.Graph().Me(r.Context())
	if err != nil {
		a.web.Deny(w, r, err)
		return
	}
	// A tenant may not let this app ask.
	manager, managed, err := orNone(s.Graph().Manager(r.Context()))
	token, err2 := s.Token(r.Context())
	if err2 != nil {
		a.web.Deny(w, r, err2)
		return
	}
	const clock = "15:04:05 UTC"
	a.pages.show(w, http.StatusOK, "me.tmpl", struct {
		frame
		Person, Manager web.Person
		Managed, Asked  bool
		Facts           []fact
	}{a.frame(r, "Profile", "me"), person, manager, managed, err == nil, []fact{
		{"Signed in", s.Record().Since.UTC().Format("2 Jan 2006, 15:04 UTC")},
		{"Tenant", s.Record().Tenant},
		{"Token until", token.Expires.UTC().Format(clock)},
		{"Tokens", a.kept.about()},
	}})
}

// apiMe is the same for programs.
func (a *app) apiMe(w http.ResponseWriter, r *http.Request) {
	s := a.web.Session(r)
	person, err := s.Graph().Me(r.Context())
	if err != nil {
		a.web.Deny(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"session": s.Email(), "graph": person.Mail}) // who doesn't read it is gone
}
