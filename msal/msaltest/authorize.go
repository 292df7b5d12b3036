package msaltest

import (
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

// Authorize plays a person who follows an authorization URL, as AuthCodeURL
// returns it or as AcquireTokenInteractive opens it, and signs in. It returns
// the parameters that Entra ID would hand to the redirect URI: code and state,
// or error=access_denied when username is empty, which stands for a person who
// gave up. The caller delivers them, in the query or as a form.
//
// It fails when the URL isn't a usable request to this fake's authorization
// endpoint, or the user doesn't exist.
func (s *Server) Authorize(authURL, username string) (url.Values, error) {
	u, err := url.Parse(authURL)
	if err != nil {
		return nil, fmt.Errorf("following an authorization URL: %w", err)
	}
	tenant, endpoint, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if endpoint != "oauth2/v2.0/authorize" {
		return nil, fmt.Errorf("following an authorization URL: %q isn't the path of an authorization endpoint", u.Path)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	params, err := s.authorize(tenant, u.Query(), username)
	if err != nil {
		return nil, fmt.Errorf("following an authorization URL: %w", err)
	}
	return params, nil
}

func (s *Server) authorize(tenant string, query url.Values, username string) (url.Values, error) {
	for _, required := range []string{"client_id", "redirect_uri", "scope"} {
		if query.Get(required) == "" {
			return nil, fmt.Errorf("the parameter %s is missing", required)
		}
	}
	if responseType := query.Get("response_type"); responseType != "code" {
		return nil, fmt.Errorf("response_type is %q, only code is served", responseType)
	}
	params := url.Values{}
	if state := query.Get("state"); state != "" {
		params.Set("state", state)
	}
	if username == "" {
		params.Set("error", "access_denied")
		params.Set("error_description", "AADSTS65004: The user declined to sign in.")
		return params, nil
	}
	if _, exists := s.user(username); !exists {
		return nil, fmt.Errorf("no user %q: a name needs an @ or AddUser", username)
	}
	params.Set("code", s.authCode(tenant, query, username))
	return params, nil
}

func (s *Server) authCode(tenant string, query url.Values, username string) string {
	code := s.secret("auth-code")
	s.codes[code] = &authCode{
		grant: grant{
			tenant:   tenant,
			clientID: query.Get("client_id"),
			username: strings.ToLower(username),
			scope:    query.Get("scope"),
			nonce:    query.Get("nonce"),
		},
		redirectURI: query.Get("redirect_uri"),
		challenge:   query.Get("code_challenge"),
		method:      query.Get("code_challenge_method"),
	}
	return code
}

// authorizePage is what a browser gets: it signs in whoever login_hint or
// Options.Approver names, without asking, and returns to the application.
func (s *Server) authorizePage(r *http.Request) (any, *Failure) {
	query := r.URL.Query()
	username := cmp.Or(query.Get("login_hint"), s.opts.Approver)
	if username == "" {
		return nil, invalidRequest("Nobody to sign in: send login_hint or set Options.Approver.")
	}
	params, err := s.authorize(r.PathValue("tenant"), query, username)
	if err != nil {
		return nil, invalidRequest(err.Error())
	}
	back, err := returnTo(query.Get("redirect_uri"), query.Get("response_mode"), params)
	if err != nil {
		return nil, invalidRequest(err.Error())
	}
	return back, nil
}

var formPost = template.Must(template.New("form_post").Parse(`<!DOCTYPE html>
<title>Working...</title>
<body onload="document.forms[0].submit()">
<form method="post" action="{{.Action}}">
{{range $name, $values := .Params}}<input type="hidden" name="{{$name}}" value="{{index $values 0}}">
{{end}}<noscript><button>Continue</button></noscript>
</form>
`))

// returnTo makes the handler that leads the browser back to the application.
func returnTo(redirectURI, mode string, params url.Values) (http.Handler, error) {
	u, err := url.Parse(redirectURI)
	if err != nil || !u.IsAbs() {
		return nil, errors.New("the redirect_uri isn't an absolute URL")
	}
	switch mode {
	case "", "query":
		query := u.Query()
		for name := range params {
			query.Set(name, params.Get(name))
		}
		u.RawQuery = query.Encode()
	case "fragment":
		u.Fragment, u.RawFragment = "", ""
		return http.RedirectHandler(u.String()+"#"+params.Encode(), http.StatusFound), nil
	case "form_post":
		return postBack(u.String(), params), nil
	default:
		return nil, fmt.Errorf("response_mode is %q, not query, fragment or form_post", mode)
	}
	return http.RedirectHandler(u.String(), http.StatusFound), nil
}

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
