package msaltest

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Authorize plays a person who follows an authorization URL, as AuthCodeURL
// returns it or as AcquireTokenInteractive opens it, and signs in. It returns
// the parameters that Entra ID would hand to the redirect URI: state, and what
// response_type asks for of code and id_token; or error=access_denied when
// username is empty, which stands for a person who gave up. The caller
// delivers them, in the query or as a form; [Server.Follow] does both parts.
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
	params, err := s.authorize("https://"+u.Host, tenant, u.Query(), username)
	if err != nil {
		return nil, fmt.Errorf("following an authorization URL: %w", err)
	}
	return params, nil
}

func (s *Server) authorize(base, tenant string, query url.Values, username string) (url.Values, error) {
	types, err := s.checkAuthorize(query)
	if err != nil {
		return nil, err
	}
	params := url.Values{}
	if state := query.Get("state"); state != "" {
		params.Set("state", state)
	}
	if username == "" {
		nobody(query.Get("prompt"), params)
		return params, nil
	}
	if _, exists := s.user(username); !exists {
		return nil, fmt.Errorf("no user %q: a name needs an @ or AddUser", username)
	}
	to := grant{
		base:     base,
		tenant:   tenant,
		clientID: query.Get("client_id"),
		username: strings.ToLower(username),
		scope:    query.Get("scope"),
		nonce:    query.Get("nonce"),
	}
	if query.Has("max_age") {
		to.signedIn = time.Now().Unix()
	}
	if slices.Contains(types, "code") {
		params.Set("code", s.authCode(to, query))
	}
	if slices.Contains(types, "id_token") {
		params.Set("id_token", s.frontIDToken(to, params.Get("code")))
	}
	return params, nil
}

// checkAuthorize refuses what Entra ID shows an error page for, and returns
// what the request asks for.
func (s *Server) checkAuthorize(query url.Values) ([]string, error) {
	for _, required := range []string{"client_id", "redirect_uri", "scope"} {
		if query.Get(required) == "" {
			return nil, fmt.Errorf("the parameter %s is missing", required)
		}
	}
	app := s.apps[query.Get("client_id")]
	if redirect := query.Get("redirect_uri"); len(app.RedirectURIs) > 0 && !slices.Contains(app.RedirectURIs, redirect) {
		return nil, fmt.Errorf("the redirect_uri %q isn't registered for the application", redirect)
	}
	types := strings.Fields(query.Get("response_type"))
	if len(types) == 0 {
		return nil, errors.New("the parameter response_type is missing")
	}
	for _, t := range types {
		if t != "code" && t != "id_token" {
			return nil, fmt.Errorf("response_type is %q, only code and id_token are served", query.Get("response_type"))
		}
	}
	if slices.Contains(types, "id_token") {
		return types, checkFront(query)
	}
	if age := query.Get("max_age"); age != "" {
		if _, err := strconv.ParseUint(age, 10, 31); err != nil {
			return nil, fmt.Errorf("max_age is %q, not a number of seconds", age)
		}
	}
	return types, nil
}

// checkFront checks what OpenID Connect Core §3.2.2.1 asks of a request whose
// ID token comes by way of the browser.
func checkFront(query url.Values) error {
	switch {
	case query.Get("nonce") == "":
		return errors.New("an ID token from the authorization endpoint needs a nonce")
	case !slices.Contains(strings.Fields(query.Get("scope")), "openid"):
		return errors.New("an ID token needs the scope openid")
	case query.Get("response_mode") == "query":
		return errors.New("an ID token can't be returned in the query: response_mode must be fragment or form_post")
	}
	return nil
}

// nobody fills in what the application hears when nobody signed in.
func nobody(prompt string, params url.Values) {
	params.Set("error", "access_denied")
	params.Set("error_description", "AADSTS65004: The user declined to sign in.")
	if prompt == "none" {
		params.Set("error", "login_required")
		params.Set("error_description", "AADSTS50058: A silent sign-in request was sent but no user is signed in.")
	}
}

func (s *Server) authCode(to grant, query url.Values) string {
	code := s.secret("auth-code")
	s.codes[code] = &authCode{
		grant:       to,
		redirectURI: query.Get("redirect_uri"),
		challenge:   query.Get("code_challenge"),
		method:      query.Get("code_challenge_method"),
	}
	return code
}

// frontIDToken is the ID token that the authorization endpoint returns; with a
// code it says which (OpenID Connect Core §3.3.2.11).
func (s *Server) frontIDToken(to grant, code string) string {
	claims := s.idClaims(to)
	if code != "" {
		sum := sha256.Sum256([]byte(code))
		claims["c_hash"] = base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
	}
	return s.jwt(claims)
}

// authorizePage is what a browser gets: it signs in whoever login_hint or
// Options.Approver names, without asking, and returns to the application.
func (s *Server) authorizePage(r *http.Request) (any, *Failure) {
	query := r.URL.Query()
	username := query.Get("login_hint")
	if username == "" {
		username = s.opts.Approver
	}
	if username == "" && query.Get("prompt") != "none" {
		return nil, invalidRequest("Nobody to sign in: send login_hint or set Options.Approver.")
	}
	params, err := s.authorize(baseURL(r), r.PathValue("tenant"), query, username)
	if err != nil {
		return nil, invalidRequest(err.Error())
	}
	back, err := returnTo(query, params)
	if err != nil {
		return nil, invalidRequest(err.Error())
	}
	return back, nil
}
