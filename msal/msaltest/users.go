package msaltest

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"
)

// User is somebody who can sign in.
type User struct {
	// Username is the name to sign in with, such as alice@contoso.example.
	// Case doesn't matter; tokens carry it in lower case.
	Username string
	// Name is the display name; empty means the part before the "@".
	Name string
	// Password overrides [Options.Password] when it isn't empty.
	Password string

	// What Microsoft Graph tells of the user; each may be empty.
	JobTitle string
	// Manager is the user name of the user's manager.
	Manager string
	// Photo is an image.
	Photo []byte
	// PhotoType is the media type of Photo; empty means what it looks like.
	PhotoType string
}

// AddUser gives a user a name or password of its own, replacing what an
// earlier call said. Nobody needs adding in order to sign in, except names
// without an "@", which don't exist otherwise.
func (s *Server) AddUser(u User) {
	u.Username = strings.ToLower(u.Username)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users[u.Username] = u
}

// Password returns what the user signs in with.
func (s *Server) Password(username string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, _ := s.user(username)
	return u.Password
}

// Revoke makes every refresh token issued to the user so far useless
// (invalid_grant), as an administrator or a changed password would. Signing
// in again works.
func (s *Server) Revoke(username string) {
	username = strings.ToLower(username)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, token := range s.refresh {
		if token.username == username {
			token.revoked = true
		}
	}
}

// user completes what is known of a user name, and reports whether that user
// exists.
func (s *Server) user(username string) (User, bool) {
	username = strings.ToLower(username)
	local, _, isAddress := strings.Cut(username, "@")
	u, added := s.users[username]
	u.Username = username
	if u.Name == "" {
		u.Name = local
	}
	if u.Password == "" {
		u.Password = s.opts.Password
	}
	return u, added || (isAddress && local != "")
}

// HomeAccountID returns the id under which MSAL caches a user: "uid.utid", the
// user's object id and the id of its home tenant (see [TenantID]; the home
// tenant is the domain of the name). It depends on the name alone, without
// regard to case.
func HomeAccountID(username string) string {
	return objectID(username) + "." + homeTenantID(username)
}

var guidPattern = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// TenantID returns the id of a tenant named by a domain, without regard to
// case. A GUID is returned as it is.
func TenantID(tenant string) string {
	tenant = strings.ToLower(tenant)
	if guidPattern.MatchString(tenant) {
		return tenant
	}
	return guid("tenant", tenant)
}

func objectID(username string) string { return guid("user", strings.ToLower(username)) }

func homeTenantID(username string) string {
	_, domain, _ := strings.Cut(username, "@")
	return TenantID(domain)
}

// signInTenantID is the tenant whose tokens a user gets at an authority: the
// shared authorities lead everybody home.
func signInTenantID(tenant, username string) string {
	switch strings.ToLower(tenant) {
	case "common", "organizations", "consumers":
		return homeTenantID(username)
	}
	return TenantID(tenant)
}

// guid derives a GUID from what it identifies.
func guid(parts ...string) string {
	return formatGUID(sha256.Sum256([]byte(strings.Join(parts, "\x00"))))
}

func randomGUID() string { return guid("random", rand.Text()) }

// formatGUID sets version 8, "custom", of RFC 9562 §5.8.
func formatGUID(b [sha256.Size]byte) string {
	b[6] = b[6]&0x0f | 0x80
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
