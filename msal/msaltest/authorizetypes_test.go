package msaltest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func authorizeURL(base string, more string) string {
	return base + "/oauth2/v2.0/authorize?client_id=" + clientID + "&scope=openid&state=s&redirect_uri=" + url.QueryEscape(redirectURI) + more
}

func TestIDTokenFromTheAuthorizationEndpoint(t *testing.T) {
	t.Parallel()
	srv := start(t, nil)
	for _, types := range []string{"code", "id_token", "code id_token", "id_token code"} {
		params, err := srv.Authorize(authorizeURL(srv.Authority(), "&max_age=60&nonce=n&response_type="+url.QueryEscape(types)), alice)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := params.Has("code"), strings.Contains(types, "code"); got != want {
			t.Errorf("%s: code %t", types, got)
		}
		token := params.Get("id_token")
		if !strings.Contains(types, "id_token") {
			if token != "" {
				t.Errorf("%s: an ID token", types)
			}
			continue
		}
		claims := claimsOf(t, token)
		if err := verify(t, srv, token); err != nil || claims["nonce"] != "n" || claims["aud"] != clientID || claims["auth_time"] == nil {
			t.Errorf("%s: %v, %v", types, claims, err)
		}
		sum := sha256.Sum256([]byte(params.Get("code")))
		if hash, there := claims["c_hash"]; there != params.Has("code") || (there && hash != base64.RawURLEncoding.EncodeToString(sum[:16])) {
			t.Errorf("%s: c_hash is %v", types, hash)
		}
	}
	for _, bad := range []string{"&response_type=", "&response_type=token", "&response_type=code+token&nonce=n", "&response_type=id_token",
		"&response_type=id_token&nonce=n&response_mode=query", "&response_type=code&max_age=soon"} {
		if got, err := srv.Authorize(authorizeURL(srv.Authority(), bad), alice); err == nil {
			t.Errorf("%s: %v", bad, got)
		}
	}
}

func TestNobodyIsSignedIn(t *testing.T) {
	t.Parallel()
	srv := start(t, nil)
	for prompt, want := range map[string]string{"none": "login_required", "login": "access_denied"} {
		params, err := srv.Authorize(authorizeURL(srv.Authority(), "&response_type=code&prompt="+prompt), "")
		if err != nil || params.Get("error") != want || params.Get("state") != "s" {
			t.Errorf("%s: %v, %v", prompt, params, err)
		}
	}
	client := *srv.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, _ := fetch(t, deadline(t), &client, authorizeURL(srv.Authority(), "&response_type=code&prompt=none"), nil)
	if resp.StatusCode != 302 || !strings.Contains(resp.Header.Get("Location"), "error=login_required") {
		t.Errorf("%s %s", resp.Status, resp.Header.Get("Location"))
	}
}

func TestFollow(t *testing.T) {
	t.Parallel()
	srv := start(t, nil)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		_, _ = io.WriteString(w, r.Method+" "+r.URL.Query().Get("state")+" "+r.PostForm.Get("state")+" "+r.Form.Get("kept"))
	}))
	t.Cleanup(app.Close)
	for mode, want := range map[string]string{
		"": "GET s  1", "query": "GET s  1", "fragment": "GET   1", "form_post": "POST  s 1",
	} {
		page := srv.Authority() + "/oauth2/v2.0/authorize?client_id=c&scope=openid&response_type=code&state=s&response_mode=" + mode +
			"&redirect_uri=" + url.QueryEscape(app.URL+"/back?kept=1")
		resp, err := srv.Follow(deadline(t), http.DefaultClient, page, alice)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(body) != want {
			t.Errorf("%q: the application got %q, want %q", mode, body, want)
		}
	}
	if _, err := srv.Follow(deadline(t), http.DefaultClient, authorizeURL(srv.Authority(), "&response_type=code&response_mode=pigeon"), alice); err == nil {
		t.Error("an unknown mode was followed")
	}
	if _, err := srv.Follow(deadline(t), http.DefaultClient, ":", alice); err == nil {
		t.Error("nothing was followed")
	}
}
