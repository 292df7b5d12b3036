package web

import (
	"encoding/json"
	"net/http"
)

// Info is what /user/info answers.
type Info struct {
	Authenticated bool   `json:"authenticated"`
	Name          string `json:"name"`
	Email         string `json:"mail"`
	Tenant        string `json:"tid"`
	Object        string `json:"oid"`
	Roles         []any  `json:"roles,omitempty"`
	Since         int64  `json:"since"` // seconds since 1970
}

// serveInfo tells who is signed in. It is for scripts of the page, and so never
// leads to a sign-in.
func (a *App) serveInfo(w http.ResponseWriter, r *http.Request) {
	s := a.Session(r)
	if !s.SignedIn() {
		w.Header().Set("WWW-Authenticate", a.challenge(""))
		sendJSON(w, http.StatusUnauthorized, struct {
			Authenticated bool   `json:"authenticated"`
			Login         string `json:"login"`
		}{false, routes + "login"})
		return
	}
	record := s.Record()
	roles, _ := s.Claims()["roles"].([]any)
	sendJSON(w, http.StatusOK, Info{
		Authenticated: true, Name: record.Name, Email: record.Email, Tenant: record.Tenant, Object: record.Object, Roles: roles,
		Since: record.Since.Unix(),
	})
}

func sendJSON(w http.ResponseWriter, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte("{}")
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(text) // the client is gone where this fails
}
