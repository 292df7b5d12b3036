package msaltest_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/msalext/msalext/msal/msaltest"
)

func TestAuthorizePage(t *testing.T) {
	t.Parallel()
	const request = "/oauth2/v2.0/authorize?client_id=c&scope=openid&response_type=code&state=a%22b" +
		"&redirect_uri=https%3A%2F%2Fapp.example%2Fback%3Fx%3D1"
	tests := []struct {
		name, query string
		status      int
		want        string // in Location or body
	}{
		{"query", "&login_hint=" + alice, http.StatusFound, "https://app.example/back?code="},
		{"fragment", "&response_mode=fragment&login_hint=" + alice, http.StatusFound, "https://app.example/back?x=1#code="},
		{"form", "&response_mode=form_post&login_hint=" + alice, http.StatusOK, `name="state" value="a&#34;b"`},
		{"no hint", "", http.StatusBadRequest, "login_hint"},
		{"unknown mode", "&response_mode=pigeon&login_hint=" + alice, http.StatusBadRequest, "pigeon"},
	}
	srv := start(t, nil)
	client := *srv.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, tt := range tests {
		resp, err := client.Get(srv.Authority() + request + tt.query)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if got := resp.Header.Get("Location") + string(body); resp.StatusCode != tt.status || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %d %s, want %d with %s", tt.name, resp.StatusCode, got, tt.status, tt.want)
		}
	}
	wantCounts(t, srv, map[msaltest.Kind]int{msaltest.KindAuthorize: len(tests)})
}

func TestPersonUsesDevicePage(t *testing.T) {
	t.Parallel()
	srv := start(t, nil)
	code := startDevice(t, newPublic(t, srv))
	resp, err := srv.Client().Get(code.Result.VerificationURL)
	if err != nil {
		t.Fatal(err)
	}
	page, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	const action = "/msaltest/approve"
	if !strings.Contains(string(page), `action="`+action+`"`) {
		t.Fatalf("no form on the page: %s", page)
	}
	resp, err = srv.Client().PostForm(srv.URL()+action, url.Values{
		"user_code": {strings.ToLower(code.Result.UserCode)}, "username": {alice},
	})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if result, err := code.AuthenticationResult(deadline(t)); err != nil || result.Account.PreferredUsername != alice {
		t.Errorf("signed in as %q, %v", result.Account.PreferredUsername, err)
	}
}
