package msaltest

import (
	"net/http"
	"net/url"
)

// signOut plays the sign-out page: it leads the browser back to the
// application where that asks for it, and else says a word.
func (s *Server) signOut(r *http.Request) (any, *Failure) {
	back := r.Form.Get("post_logout_redirect_uri")
	if back == "" {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			// A failed write means that the browser is gone.
			_, _ = w.Write([]byte("You signed out of your account.\n"))
		}), nil
	}
	u, err := url.Parse(back)
	if err != nil || !u.IsAbs() {
		return nil, invalidRequest("The post_logout_redirect_uri isn't an absolute URL.")
	}
	if state := r.Form.Get("state"); state != "" {
		query := u.Query()
		query.Set("state", state)
		u.RawQuery = query.Encode()
	}
	return http.RedirectHandler(u.String(), http.StatusFound), nil
}
