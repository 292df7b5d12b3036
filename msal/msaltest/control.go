package msaltest

import (
	"html/template"
	"net/http"
)

// Paths of the fake's own, which Entra ID doesn't have: [Remote] uses all but
// devicePath, the page where a person enters a device code.
const (
	countsPath  = "/msaltest/counts"
	approvePath = "/msaltest/approve"
	declinePath = "/msaltest/decline"
	revokePath  = "/msaltest/revoke"
	devicePath  = "/msaltest/device"
)

func (s *Server) controlRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET "+countsPath, func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, s.Counts())
	})
	mux.HandleFunc("POST "+approvePath, act(func(r *http.Request) error {
		return s.Approve(r.PostFormValue("user_code"), r.PostFormValue("username"))
	}))
	mux.HandleFunc("POST "+declinePath, act(func(r *http.Request) error {
		return s.Decline(r.PostFormValue("user_code"))
	}))
	mux.HandleFunc("POST "+revokePath, act(func(r *http.Request) error {
		s.Revoke(r.PostFormValue("username"))
		return nil
	}))
	mux.HandleFunc("GET "+devicePath, deviceForm)
}

// act answers with the error's text or a word of success: a person may have
// sent the form.
func act(do func(*http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
		if err := do(r); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		// A failed write means that the client is gone.
		_, _ = w.Write([]byte("Done. You can close this page.\n"))
	}
}

var devicePage = template.Must(template.New("device").Parse(`<!DOCTYPE html>
<title>Fake Entra ID</title>
<h1>Enter the code that the application shows</h1>
<form method="post" action="{{.Approve}}">
<p><label>Code <input name="user_code" required autofocus></label>
<p><label>User <input name="username" placeholder="alice@contoso.example"></label>
<p><button>Sign in</button> <button formaction="{{.Decline}}">Decline</button>
</form>
`))

func deviceForm(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	// A failed write means that the browser is gone.
	_ = devicePage.Execute(w, struct{ Approve, Decline string }{approvePath, declinePath})
}
