package msaltest

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// issue makes the tokens of a grant: a refresh token where offline_access and
// an ID token where openid is among the scopes, both only for users.
func (s *Server) issue(to grant) *tokenJSON {
	lifetime := wholeSeconds(s.opts.ExpiresIn)
	answer := &tokenJSON{
		TokenType:    tokenType(to),
		ExpiresIn:    lifetime,
		ExtExpiresIn: lifetime,
		RefreshIn:    wholeSeconds(s.opts.RefreshIn),
	}
	if to.username == "" {
		answer.AccessToken = s.jwt(s.appClaims(to))
		return answer
	}
	answer.Scope = to.scope
	answer.AccessToken = s.jwt(s.accessClaims(to))
	answer.ClientInfo = encode(map[string]any{"uid": objectID(to.username), "utid": homeTenantID(to.username)})
	if to.has("offline_access") {
		answer.RefreshToken = s.secret("refresh-token")
		answer.FamilyID = s.opts.FamilyID
		s.refresh[answer.RefreshToken] = &refreshToken{grant: to}
	}
	if to.has("openid") {
		answer.IDToken = s.jwt(s.idClaims(to))
	}
	return answer
}

func (g grant) has(scope string) bool { return slices.Contains(strings.Fields(g.scope), scope) }

// times are the claims that every token has.
func (s *Server) times(tenantID string, to grant) map[string]any {
	now := time.Now()
	return map[string]any{
		"iss": issuer(to.base, tenantID),
		"tid": tenantID,
		"iat": now.Unix(),
		"nbf": now.Unix(),
		"exp": now.Unix() + int64(wholeSeconds(s.opts.ExpiresIn)),
		"ver": "2.0",
		"uti": rand.Text(), // makes each token differ
	}
}

func tokenType(to grant) string {
	if to.boundTo != "" {
		return "pop"
	}
	return "Bearer"
}

// bind adds to an access token the key that it is bound to, if any.
func (g grant) bind(claims map[string]any) map[string]any {
	if g.boundTo != "" {
		claims["cnf"] = map[string]any{"kid": g.boundTo}
	}
	return claims
}

func (s *Server) appClaims(to grant) map[string]any {
	claims := s.times(TenantID(to.tenant), to)
	claims["aud"] = audience(to.scope)
	claims["azp"] = to.clientID
	claims["idtyp"] = "app"
	claims["oid"] = guid("service principal", to.clientID)
	claims["sub"] = claims["oid"]
	return to.bind(claims)
}

func (s *Server) accessClaims(to grant) map[string]any {
	claims := s.userClaims(to)
	claims["aud"] = audience(to.scope)
	claims["azp"] = to.clientID
	claims["scp"] = to.scope
	claims["upn"] = to.username
	return to.bind(claims)
}

func (s *Server) idClaims(to grant) map[string]any {
	claims := s.userClaims(to)
	claims["aud"] = to.clientID
	claims["preferred_username"] = to.username
	claims["email"] = to.username
	if to.nonce != "" {
		claims["nonce"] = to.nonce
	}
	if to.signedIn != 0 {
		claims["auth_time"] = to.signedIn
	}
	return claims
}

func (s *Server) userClaims(to grant) map[string]any {
	u, _ := s.user(to.username)
	tenantID := signInTenantID(to.tenant, to.username)
	claims := s.times(tenantID, to)
	claims["name"] = u.Name
	claims["oid"] = objectID(to.username)
	if tenantID != homeTenantID(to.username) {
		// A guest is another object in the tenant that it visits.
		claims["oid"] = guid("guest", tenantID, to.username)
	}
	claims["sub"] = guid("subject", to.clientID, to.username)
	return claims
}

// audience takes the resource out of the first scope: api://orders/Read is
// for api://orders, and User.Read for Microsoft Graph.
func audience(scope string) string {
	first, _, _ := strings.Cut(scope, " ")
	if i := strings.LastIndex(first, "/"); i > 0 {
		return first[:i]
	}
	return "https://graph.microsoft.com"
}

// encode writes JSON as unpadded base64url. Maps of strings and numbers, which
// is all it is given, always encode.
func encode(claims map[string]any) string {
	return base64.RawURLEncoding.EncodeToString(marshal(claims))
}

func marshal(value map[string]any) []byte {
	data, _ := json.Marshal(value)
	return data
}
