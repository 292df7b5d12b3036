package msaltest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

// Follow plays a person and a browser: it signs the user in as
// [Server.Authorize] does, and delivers the answer to the redirect URI with
// client, in the way that response_mode asks for. A fragment stays in the
// browser, so that then a request without parameters is sent. The response is
// the application's; the caller closes its Body.
func (s *Server) Follow(ctx context.Context, client *http.Client, authURL, username string) (*http.Response, error) {
	params, err := s.Authorize(authURL, username)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(authURL)
	if err != nil {
		return nil, fmt.Errorf("following an authorization URL: %w", err)
	}
	req, err := delivery(ctx, u.Query(), params)
	if err != nil {
		return nil, fmt.Errorf("following an authorization URL: %w", err)
	}
	return client.Do(req)
}

// delivery is the request that brings an answer to the application.
func delivery(ctx context.Context, query, params url.Values) (*http.Request, error) {
	back, err := url.Parse(query.Get("redirect_uri"))
	if err != nil {
		return nil, err
	}
	switch responseMode(query) {
	case "query":
		back.RawQuery = merged(back.Query(), params)
	case "fragment":
		back.Fragment = ""
	case "form_post":
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, back.String(), strings.NewReader(params.Encode()))
		if err == nil {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		return req, err
	default:
		return nil, unknownMode(query)
	}
	return http.NewRequestWithContext(ctx, http.MethodGet, back.String(), nil)
}

// responseMode is the mode asked for, or the one that is meant: a token never
// goes into a query.
func responseMode(query url.Values) string {
	if strings.Contains(query.Get("response_type"), "token") {
		return cmp.Or(query.Get("response_mode"), "fragment")
	}
	return cmp.Or(query.Get("response_mode"), "query")
}

func unknownMode(query url.Values) error {
	return fmt.Errorf("response_mode is %q, not query, fragment or form_post", query.Get("response_mode"))
}

func merged(query, params url.Values) string {
	for name := range params {
		query.Set(name, params.Get(name))
	}
	return query.Encode()
}

// returnTo makes the handler that leads the browser back to the application.
func returnTo(query, params url.Values) (http.Handler, error) {
	u, err := url.Parse(query.Get("redirect_uri"))
	if err != nil || !u.IsAbs() {
		return nil, errors.New("the redirect_uri isn't an absolute URL")
	}
	switch responseMode(query) {
	case "query":
		u.RawQuery = merged(u.Query(), params)
		return http.RedirectHandler(u.String(), http.StatusFound), nil
	case "fragment":
		u.Fragment, u.RawFragment = "", ""
		return http.RedirectHandler(u.String()+"#"+params.Encode(), http.StatusFound), nil
	case "form_post":
		return postBack(u.String(), params), nil
	}
	return nil, unknownMode(query)
}

var formPost = template.Must(template.New("form_post").Parse(`<!DOCTYPE html>
<title>Working...</title>
<body onload="document.forms[0].submit()">
<form method="post" action="{{.Action}}">
{{range $name, $values := .Params}}<input type="hidden" name="{{$name}}" value="{{index $values 0}}">
{{end}}<noscript><button>Continue</button></noscript>
</form>
`))

func postBack(action string, params url.Values) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		// A failed write means that the browser is gone.
		_ = formPost.Execute(w, struct {
			Action string
			Params url.Values
		}{action, params})
	})
}
