package web_test

import (
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser(w.serve(nil))
	form := b.approve(w, b.begin("/user/login"), alice)
	large := maps.Clone(form)
	large.Set("padding", strings.Repeat("a", 1<<20))
	for name, c := range map[string]struct {
		kind, body string
		status     int
	}{
		"oversized":   {"application/x-www-form-urlencoded", large.Encode(), http.StatusRequestEntityTooLarge},
		"JSON":        {"application/json", `{"state":"` + form.Get("state") + `"}`, http.StatusUnsupportedMediaType},
		"no type":     {"", form.Encode(), http.StatusUnsupportedMediaType},
		"multipart":   {"multipart/form-data; boundary=x", "--x--", http.StatusUnsupportedMediaType},
		"plain text":  {"text/plain", form.Encode(), http.StatusUnsupportedMediaType},
		"nothing":     {"application/x-www-form-urlencoded", "", http.StatusBadRequest},
		"bad percent": {"application/x-www-form-urlencoded", "state=%zz", http.StatusBadRequest},
	} {
		r := b.request(t.Context(), http.MethodPost, "/user/authorized", nil)
		r.Body, r.ContentLength = http.NoBody, 0
		if c.body != "" {
			r = b.request(t.Context(), http.MethodPost, "/user/authorized", url.Values{})
			r.Body, r.ContentLength = readCloser(c.body), int64(len(c.body))
		}
		r.Header.Set("Content-Type", c.kind)
		if a := b.do(r); a.StatusCode != c.status {
			t.Errorf("%s: status %d", name, a.StatusCode)
		}
	}
	query := b.request(t.Context(), http.MethodPost, "/user/authorized?"+form.Encode(), url.Values{})
	if a := b.do(query); a.StatusCode != http.StatusBadRequest {
		t.Errorf("the query of a POST was taken: status %d", a.StatusCode)
	}
	if a := b.fromEntra(form); a.StatusCode != http.StatusSeeOther {
		t.Errorf("in the end: status %d", a.StatusCode)
	}
	if a := b.get("/user/nothing"); a.StatusCode != http.StatusNotFound {
		t.Errorf("another path: status %d", a.StatusCode)
	}
	if a := b.post("/user/login", url.Values{}); a.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST /user/login: status %d", a.StatusCode)
	}
}

func readCloser(text string) io.ReadCloser { return io.NopCloser(strings.NewReader(text)) }
