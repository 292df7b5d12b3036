package msaltest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/managedidentity"

	"github.com/msalext/msalext/msal/msaltest"
)

func TestGraph(t *testing.T) {
	t.Parallel()
	srv := start(t, nil)
	const png = "\x89PNG\r\n\x1a\n..."
	srv.AddUser(msaltest.User{Username: alice, Name: "Alice Archer", JobTitle: "Engineer", Manager: "bob@contoso.example", Photo: []byte(png)})
	token := signIn(t, srv, newPublic(t, srv), alice).AccessToken
	bearer := http.Header{"Authorization": {"Bearer " + token}}
	for _, tt := range []struct {
		page, field, want string
		kind              msaltest.Kind
	}{
		{"/me", "displayName", "Alice Archer", msaltest.KindGraphMe},
		{"/me", "surname", "Archer", msaltest.KindGraphMe},
		{"/me", "userPrincipalName", alice, msaltest.KindGraphMe},
		{"/me", "jobTitle", "Engineer", msaltest.KindGraphMe},
		{"/me/manager", "mail", "bob@contoso.example", msaltest.KindGraphManager},
	} {
		before := srv.Count(tt.kind)
		resp, body := fetch(t, deadline(t), srv.Client(), srv.GraphURL()+tt.page, bearer)
		var got map[string]any
		if err := json.Unmarshal([]byte(body), &got); err != nil || resp.StatusCode != 200 || got[tt.field] != tt.want {
			t.Errorf("%s: %s %s, want %s", tt.page, resp.Status, body, tt.want)
		}
		if srv.Count(tt.kind) != before+1 {
			t.Errorf("%s isn't counted as %s", tt.page, tt.kind)
		}
	}
	resp, body := fetch(t, deadline(t), srv.CloudClient(), "https://graph.microsoft.com/v1.0/me/photo/$value", bearer)
	if body != png || resp.Header.Get("Content-Type") != "image/png" {
		t.Errorf("the photo is %q, %s", body, resp.Header.Get("Content-Type"))
	}
}

func TestGraphRefuses(t *testing.T) {
	t.Parallel()
	srv := start(t, nil)
	token := signIn(t, srv, newPublic(t, srv), alice).AccessToken
	app, err := newConfidential(t, srv, "s").AcquireTokenByCredential(deadline(t), appScope)
	if err != nil {
		t.Fatal(err)
	}
	signed := func(claims map[string]any) string {
		token, err := srv.Sign(claims)
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + token
	}
	const graph = "https://graph.microsoft.com"
	later := time.Now().Unix() + 60
	for _, tt := range []struct {
		name, page, authorization string
		status                    int
		want                      string
	}{
		{"nothing", "/me", "", 401, "InvalidAuthenticationToken"},
		{"no JWT", "/me", "Bearer x", 401, "InvalidAuthenticationToken"},
		{"another scheme", "/me", "Basic " + token, 401, "InvalidAuthenticationToken"},
		{"changed", "/me", "Bearer " + token[:len(token)-8] + "AAAAAAAA", 401, "InvalidAuthenticationToken"},
		{"too old", "/me", signed(map[string]any{"aud": graph, "upn": alice, "exp": later - 61}), 401, "expired"},
		{"another API's", "/me", signed(map[string]any{"aud": "api://x", "upn": alice, "exp": later}), 401, "audience"},
		{"an application", "/me", "Bearer " + app.AccessToken, 400, "delegated"},
		{"bound", "/me", signed(map[string]any{"aud": graph, "upn": alice, "exp": later, "cnf": map[string]any{"kid": "k"}}), 401, "bound"},
		{"bound, with no proof", "/me", "PoP " + token, 401, "InvalidAuthenticationToken"},
		{"no manager", "/me/manager", "Bearer " + token, 404, "Request_ResourceNotFound"},
		{"no photo", "/me/photo/$value", "Bearer " + token, 404, "ImageNotFound"},
	} {
		resp, body := fetch(t, deadline(t), srv.Client(), srv.GraphURL()+tt.page, http.Header{"Authorization": {tt.authorization}})
		if resp.StatusCode != tt.status || !strings.Contains(body, tt.want) {
			t.Errorf("%s: %s %s, want %d %s", tt.name, resp.Status, body, tt.status, tt.want)
		}
		if challenged := resp.Header.Get("WWW-Authenticate") != ""; challenged && tt.status != 401 {
			t.Errorf("%s: %v", tt.name, resp.Header)
		}
	}
}

// TestTokensExpire has a token that is good for one second.
func TestTokensExpire(t *testing.T) {
	t.Parallel()
	srv := start(t, nil)
	srv.SetExpiresIn(time.Second)
	result := signIn(t, srv, newPublic(t, srv), alice)
	bearer := http.Header{"Authorization": {"Bearer " + result.AccessToken}}
	ctx := deadline(t)
	for {
		resp, body := fetch(t, ctx, srv.Client(), srv.GraphURL()+"/me", bearer)
		if resp.StatusCode == 401 && strings.Contains(body, "expired") {
			return
		}
		if resp.StatusCode != 200 {
			t.Fatalf("%s: %s", resp.Status, body)
		}
		select {
		case <-ctx.Done():
			t.Fatal("it never expires")
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func TestSignOutPage(t *testing.T) {
	t.Parallel()
	srv := start(t, nil)
	client := *srv.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	page := srv.Authority() + "/oauth2/v2.0/logout"
	for _, tt := range []struct {
		name, query string
		status      int
		location    string
	}{
		{"nowhere to go", "", 200, ""},
		{"back", "?post_logout_redirect_uri=https%3A%2F%2Fapp.example%2F%3Fx%3D1&state=s", 302, "https://app.example/?state=s&x=1"},
		{"nonsense", "?post_logout_redirect_uri=x", 400, ""},
	} {
		resp, _ := fetch(t, deadline(t), &client, page+tt.query, nil)
		if resp.StatusCode != tt.status || resp.Header.Get("Location") != tt.location {
			t.Errorf("%s: %s %q", tt.name, resp.Status, resp.Header.Get("Location"))
		}
	}
	wantCounts(t, srv, map[msaltest.Kind]int{msaltest.KindLogout: 3})
}

func TestManagedIdentity(t *testing.T) {
	t.Setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "")
	srv := start(t, nil)
	for _, id := range []managedidentity.ID{managedidentity.SystemAssigned(), managedidentity.UserAssignedClientID("the-id")} {
		client, err := managedidentity.New(id, managedidentity.WithHTTPClient(srv.CloudClient()))
		if err != nil {
			t.Fatal(err)
		}
		result, err := client.AcquireToken(deadline(t), "https://vault.azure.net")
		if err != nil || claimsOf(t, result.AccessToken)["aud"] != "https://vault.azure.net" {
			t.Errorf("%v, %v", result, err)
		}
	}
	wantCounts(t, srv, map[msaltest.Kind]int{msaltest.KindManaged: 2})
	if resp, _ := fetch(t, deadline(t), srv.Client(), srv.URL()+"/metadata/identity/oauth2/token?resource=x", nil); resp.StatusCode != 400 {
		t.Errorf("without the header: %s", resp.Status)
	}
}
