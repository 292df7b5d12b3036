package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/internal/canary"
	"github.com/msalext/msalext/msal/msaltest"
	"github.com/msalext/msalext/msal/web"
)

const marker = "kanarienvogel7"

// TestCanary: no secret is in logs, pages, header fields, cookies or the session
// store, whatever goes wrong.
func TestCanary(t *testing.T) {
	t.Parallel()
	w := newWorld(t, &msaltest.Options{Marker: marker, ExpiresIn: time.Minute})
	s := w.serve(nil)
	b := w.browser(s)
	shown := &strings.Builder{}
	secrets := map[string]string{"any token": marker, "the application's secret": "s3cret-of-the-app"}
	note := func(answers ...answer) {
		for _, a := range answers {
			fmt.Fprintln(shown, a.StatusCode, a.Header, a.body)
		}
	}
	s.page("/token", func(rw http.ResponseWriter, r *http.Request, session *web.Session) {
		_, err := session.Token(r.Context())
		fmt.Fprintln(shown, session, session.Record().TokenKey, err)
		s.app.Deny(rw, r, err)
	})
	begun := b.get("/user/login/orders")
	form := b.approve(w, begun.Header.Get("Location"), alice)
	secrets["a flow's state"] = form.Get("state")
	begun.Header.Del("Location") // which is where the state goes
	note(begun, b.post("/user/authorized", url.Values{"state": {"x"}, "code": form["code"]}))
	w.entra.Fail(msaltest.KindTokenCode, msaltest.Failure{Status: http.StatusOK, Body: []byte(`{"access_token":"` + marker + `"`)})
	note(b.fromEntra(form))
	for _, failure := range []msaltest.Failure{
		{Code: "invalid_grant", Description: "Code " + marker + " is no good"}, {Status: http.StatusInternalServerError, Description: marker}, {HangUp: true},
	} {
		w.entra.Fail(msaltest.KindTokenCode, failure, failure, failure, failure, failure)
		note(b.fromEntra(b.approve(w, b.begin("/user/login"), alice)))
		w.entra.Fail(msaltest.KindTokenCode) // what is left of them goes with the next sign-ins
		for range 5 {
			b.fromEntra(b.approve(w, b.begin("/user/login"), alice))
		}
	}
	note(b.signIn(w, "/user/login", alice), b.get("/user/info"), b.get("/"), b.get("/token"))
	session := b.cookie(sessionCookie)
	w.entra.Revoke(alice)
	note(b.get("/token"), b.get("/user/photo"), b.get("/user/logout"))
	checkSecrets(t, "what was shown", []byte(shown.String()), secrets)
	secrets["a session's id"] = session
	checkSecrets(t, "the log", []byte(w.logs.String()), secrets)
	if strings.Contains(w.logs.String(), "alice") {
		t.Errorf("the log names somebody: %s", w.logs)
	}
	stored, err := w.store.(interface {
		All() (map[string][]byte, error)
	}).All()
	if err != nil || len(stored) == 0 {
		t.Fatal(len(stored), err)
	}
	for id, data := range stored {
		checkSecrets(t, "the session store", append(data, id...), secrets)
	}
}

func checkSecrets(t *testing.T, where string, data []byte, secrets map[string]string) {
	t.Helper()
	for name, secret := range secrets {
		for _, seen := range canary.Find(data, secret) {
			t.Errorf("%s is in %s: %+v", name, where, seen)
		}
	}
}
