package web

import (
	"errors"
	"io"
	"net/http"
	"strconv"
)

// maxPhoto is what Microsoft Graph takes, several times over.
const maxPhoto = 16 << 20

// servePhoto streams the person's photo.
func (a *App) servePhoto(w http.ResponseWriter, r *http.Request) {
	s := a.Session(r)
	if err := SignedIn(s); err != nil {
		a.Deny(w, r, err)
		return
	}
	photo, err := s.Graph().Photo(r.Context())
	if errors.Is(err, ErrNoSuch) {
		w.Header().Set("Cache-Control", "private, max-age=300")
		http.Error(w, "no photo", http.StatusNotFound)
		return
	}
	if err != nil {
		a.Deny(w, r, err)
		return
	}
	defer photo.Body.Close()
	header := w.Header()
	header.Set("Content-Type", photo.ContentType)
	// Vary: Cookie keeps it from whoever signs in next at this browser.
	header.Set("Cache-Control", "private, max-age=300")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	if photo.Size >= 0 {
		header.Set("Content-Length", strconv.FormatInt(photo.Size, 10))
	}
	if _, err := io.Copy(w, photo.Body); err != nil {
		a.log.DebugContext(r.Context(), "photo cut short", "err", err)
		panic(http.ErrAbortHandler) // so that the browser knows
	}
}
