package cloud

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"image/png"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func start(t *testing.T) *Cloud {
	t.Helper()
	c, err := Start(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// ask sends a request; form nil: GET. It follows no redirect.
func ask(t *testing.T, c *Cloud, address, token string, form url.Values) (status int, header http.Header, body string) {
	t.Helper()
	h := *c.Client()
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := h.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(data)
}

const authorize = "/oauth2/v2.0/authorize?client_id=app&response_type=code&scope=User.Read&state=s&redirect_uri=https%3A%2F%2Fapp.example%2Fback"

func TestPagesOfASignIn(t *testing.T) {
	t.Parallel()
	c := start(t)
	address := c.Authority() + authorize
	if status, _, body := ask(t, c, address+"&login_hint=%3Cb%3E", "", nil); status != http.StatusOK || !strings.Contains(body, People[0]) || strings.Contains(body, "<b>") {
		t.Errorf("%d\n%s", status, body)
	}
	for _, p := range []struct {
		name, mode, username string
		status               int
		header, body         string
	}{
		{"by query", "", People[0], http.StatusFound, "https://app.example/back?code=", ""},
		{"by form", "&response_mode=form_post", People[0], http.StatusOK, "", `action="https://app.example/back"`},
		{"given up", "", "", http.StatusFound, "error=access_denied", ""},
		{"nobody", "", "nobody", http.StatusBadRequest, "", "no user"},
	} {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			status, header, body := ask(t, c, address+p.mode, "", url.Values{"username": {p.username}})
			if status != p.status || !strings.Contains(header.Get("Location"), p.header) || !strings.Contains(body, p.body) {
				t.Errorf("%d, %q\n%s", status, header.Get("Location"), body)
			}
		})
	}
}

func TestTheRestIsTheFakes(t *testing.T) {
	t.Parallel()
	c := start(t)
	status, _, body := ask(t, c, c.Authority()+"/v2.0/.well-known/openid-configuration", "", nil)
	var known struct {
		Endpoint string `json:"authorization_endpoint"`
	}
	if err := json.Unmarshal([]byte(body), &known); err != nil || status != http.StatusOK || !strings.HasPrefix(known.Endpoint, c.Authority()) {
		t.Errorf("%d, %q, %v", status, known.Endpoint, err)
	}
}

func tokenOf(address string, expires time.Time) string {
	claims, _ := json.Marshal(map[string]any{"upn": address, "name": "ann", "oid": "1", "exp": expires.Unix()}) // maps always encode
	return "e30." + base64.RawURLEncoding.EncodeToString(claims) + ".s"
}

func TestGraph(t *testing.T) {
	t.Parallel()
	c := start(t)
	later := time.Now().Add(time.Hour)
	for _, p := range []struct {
		name, path, token string
		status            int
		body              string
	}{
		{"me", "/me", tokenOf("ann@contoso.example", later), http.StatusOK, `"displayName":"Ann"`},
		{"a manager", "/me/manager", tokenOf("ann@contoso.example", later), http.StatusOK, "Grace"},
		{"no manager", "/me/manager", tokenOf("grace@contoso.example", later), http.StatusNotFound, "ResourceNotFound"},
		{"no photo", "/me/photo/$value", tokenOf("bob@contoso.example", later), http.StatusNotFound, "ImageNotFound"},
		{"no token", "/me", "", http.StatusUnauthorized, "InvalidAuthenticationToken"},
		{"no JWT", "/me/manager", "x.!.y", http.StatusUnauthorized, "InvalidAuthenticationToken"},
		{"expired", "/me/photo/$value", tokenOf("ann@contoso.example", time.Now().Add(-time.Hour)), http.StatusUnauthorized, "InvalidAuthenticationToken"},
	} {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			if status, _, body := ask(t, c, c.GraphURL()+p.path, p.token, nil); status != p.status || !strings.Contains(body, p.body) {
				t.Errorf("%d\n%s", status, body)
			}
		})
	}
	_, header, body := ask(t, c, c.GraphURL()+"/me/photo/$value", tokenOf("ann@contoso.example", later), nil)
	if picture, err := png.Decode(strings.NewReader(body)); err != nil || header.Get("Content-Type") != "image/png" || picture.Bounds().Dx() != picture.Bounds().Dy() {
		t.Errorf("the photo: %q, %v", header.Get("Content-Type"), err)
	}
}

func TestSignOut(t *testing.T) {
	t.Parallel()
	c := start(t)
	const back = "https://app.example/"
	if status, header, _ := ask(t, c, c.Authority()+"/oauth2/v2.0/logout?post_logout_redirect_uri="+url.QueryEscape(back), "", nil); status != http.StatusFound || header.Get("Location") != back {
		t.Errorf("%d, %q", status, header.Get("Location"))
	}
	if status, _, body := ask(t, c, c.Authority()+"/oauth2/v2.0/logout", "", nil); status != http.StatusOK || !strings.Contains(body, "signed out") {
		t.Errorf("%d\n%s", status, body)
	}
}
