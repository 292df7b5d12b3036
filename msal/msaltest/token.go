package msaltest

import (
	"net/http"
	"net/url"
)

// grant is who gets a token, and for what.
type grant struct {
	base     string // address under which the client knows the fake
	tenant   string // as in the path
	clientID string
	username string // lower case; empty: the application itself
	scope    string // space-separated
	nonce    string // repeated in the ID token
	signedIn int64  // auth_time of the ID token, in seconds; 0: none
	boundTo  string // id of the key that the access token is bound to
}

// tokenJSON is the answer of the token endpoint (RFC 6749 §5.1, and MSAL's
// client_info, foci, refresh_in and ext_expires_in).
type tokenJSON struct {
	TokenType    string `json:"token_type"`
	Scope        string `json:"scope,omitempty"`
	ExpiresIn    int    `json:"expires_in"`
	ExtExpiresIn int    `json:"ext_expires_in"`
	RefreshIn    int    `json:"refresh_in,omitempty"`
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
	ClientInfo   string `json:"client_info,omitempty"`
	FamilyID     string `json:"foci,omitempty"`
}

const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// tokenKind maps a grant type. MSAL Go writes device_code where RFC 8628 has
// a URN.
func tokenKind(grantType string) Kind {
	switch grantType {
	case "device_code", "urn:ietf:params:oauth:grant-type:device_code":
		return KindTokenDevice
	case jwtBearer:
		return KindTokenBehalf
	case "password", "refresh_token", "authorization_code", "client_credentials":
		return KindToken + "/" + Kind(grantType)
	}
	return KindTokenOther
}

// token dispatches to the grant.
func (s *Server) token(r *http.Request) (any, *Failure) {
	form := r.PostForm
	for _, required := range []string{"grant_type", "client_id"} {
		if form.Get(required) == "" {
			return nil, missingParameter(required)
		}
	}
	kind := tokenKind(form.Get("grant_type"))
	if failure := s.authenticateClient(kind, r); failure != nil {
		return nil, failure
	}
	to := grant{
		base:     baseURL(r),
		tenant:   r.PathValue("tenant"),
		clientID: form.Get("client_id"),
		scope:    form.Get("scope"),
	}
	if form.Get("token_type") == "pop" {
		key, failure := boundTo(form.Get("req_cnf"))
		if failure != nil {
			return nil, failure
		}
		to.boundTo = key
	}
	answer, failure := s.redeem(kind, form, to)
	if failure != nil {
		return nil, failure
	}
	return answer, nil
}

func (s *Server) redeem(kind Kind, form url.Values, to grant) (*tokenJSON, *Failure) {
	switch kind {
	case KindTokenDevice:
		return s.redeemDevice(form, to)
	case KindTokenPassword:
		return s.redeemPassword(form, to)
	case KindTokenRefresh:
		return s.redeemRefresh(form, to)
	case KindTokenCode:
		return s.redeemCode(form, to)
	case KindTokenClient:
		return s.issue(to), nil
	case KindTokenBehalf:
		return s.redeemBehalf(form, to)
	}
	return nil, newFailure("unsupported_grant_type", 70003, "The fake doesn't know this grant_type.")
}
