package main

import (
	"net/http"
	"slices"
	"time"

	"github.com/msalext/msalext/msal/web"
)

// place is a session in the list.
type place struct {
	Key           string // of its tokens, which names the session and lets nobody in
	This          bool
	Since, Expiry time.Time
}

func (a *app) sessions(w http.ResponseWriter, r *http.Request) {
	all, err := a.mine(r)
	if err != nil {
		a.web.Deny(w, r, err)
		return
	}
	this := a.web.Session(r).Record().TokenKey
	var list []place
	for _, s := range all {
		list = append(list, place{s.Record.TokenKey, s.Record.TokenKey == this, s.Record.Since, s.Deadline})
	}
	slices.SortFunc(list, func(a, b place) int { return b.Since.Compare(a.Since) })
	a.pages.show(w, http.StatusOK, "sessions.tmpl", struct {
		frame
		Sessions []place
	}{a.frame(r, "Sessions", "sessions"), list})
}

// mine are the sessions of whoever makes the request.
func (a *app) mine(r *http.Request) ([]web.Stored, error) {
	account := a.web.Session(r).Record().Account
	var all []web.Stored
	for s, err := range a.web.Each(r.Context()) {
		if err != nil {
			return nil, err
		}
		if s.Record.Account == account {
			all = append(all, s)
		}
	}
	return all, nil
}

// endSession ends one of the person's own sessions.
func (a *app) endSession(w http.ResponseWriter, r *http.Request) error {
	all, err := a.mine(r)
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.Record.TokenKey == r.PostFormValue("session") {
			if err := a.web.End(r.Context(), s); err != nil {
				return err
			}
		}
	}
	http.Redirect(w, r, "/sessions", http.StatusSeeOther)
	return nil
}

func (a *app) everywhere(w http.ResponseWriter, r *http.Request) error {
	if _, err := a.web.SignOutEverywhere(r.Context(), a.web.Session(r).Record().Account); err != nil {
		return err
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}
