package web

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Check tells whether a session may pass: nil, or an error for [App.Deny] that
// is mostly [ErrSignIn], [ErrForbidden] or a [*ClaimsError].
type Check func(*Session) error

// SignedIn passes everybody who is signed in.
func SignedIn(s *Session) error {
	if !s.SignedIn() {
		return fmt.Errorf("msalext: check a session: %w", ErrSignIn)
	}
	return nil
}

// Group passes members of one of the groups, by object id: the claim groups,
// which has to be switched on where the application is registered. People with
// too many groups (about 200) don't have the claim and are refused, and the
// error says why.
func Group(ids ...string) Check {
	return claimed("groups", ids, func(claims map[string]any) string {
		if _, overage := claims["_claim_names"]; overage || claims["hasgroups"] == true {
			return "; the person has too many groups for a token, so assign groups to the application"
		}
		return ""
	})
}

// Role passes who has one of the application's roles: the claim roles.
func Role(names ...string) Check {
	return claimed("roles", names, func(map[string]any) string { return "" })
}

// claimed passes who has one of some values in a claim that is a list.
func claimed(claim string, wanted []string, why func(map[string]any) string) Check {
	return withClaims(func(claims map[string]any) error {
		list, _ := claims[claim].([]any)
		for _, value := range list {
			if text, ok := value.(string); ok && slices.Contains(wanted, text) {
				return nil
			}
		}
		return fmt.Errorf("msalext: check a session: %w: none of %q in %s%s", ErrForbidden, wanted, claim, why(claims))
	})
}

func withClaims(check func(map[string]any) error) Check {
	return func(s *Session) error {
		if err := SignedIn(s); err != nil {
			return err
		}
		return check(s.Claims())
	}
}

// EmailDomain passes people with an address in one of the domains that the
// identity provider vouches for: the claim email where email_verified or xms_edov
// says so, else preferred_username of an organization's account. Letter case
// doesn't matter; subdomains are other domains. Where an authority serves several
// tenants, set Config.Tenants as well.
func EmailDomain(domains ...string) Check {
	return withClaims(func(claims map[string]any) error {
		address := vouchedFor(claims)
		if at := strings.LastIndexByte(address, '@'); at > 0 && containsFold(domains, address[at+1:]) {
			return nil
		}
		return fmt.Errorf("msalext: check a session: %w: no address in one of %q", ErrForbidden, domains)
	})
}

// personalAccounts is the tenant of Microsoft's own accounts, whose names can be
// addresses of any domain.
const personalAccounts = "9188040d-6c67-4c5b-b112-36a304b66dad"

// vouchedFor is the address that the person didn't choose. An organization can
// write any address into email
// (https://learn.microsoft.com/entra/identity-platform/migrate-off-email-claim-authorization).
func vouchedFor(claims map[string]any) string {
	for _, name := range []string{"email_verified", "xms_edov"} {
		switch claims[name] {
		case true, "true", "1", 1.0:
			address, _ := claims["email"].(string)
			return address
		}
	}
	if claims["tid"] == nil || claims["tid"] == personalAccounts {
		return ""
	}
	name, _ := claims["preferred_username"].(string)
	return name
}

// AuthContext passes people whose sign-in satisfied an authentication context of
// Conditional Access, such as c1: the claim acrs. Others are asked to sign in
// that way ([*ClaimsError]).
func AuthContext(id string) Check {
	return withClaims(func(claims map[string]any) error {
		if list, _ := claims["acrs"].([]any); slices.Contains(list, any(id)) || claims["acrs"] == id {
			return nil
		}
		demand := map[string]any{"id_token": map[string]any{"acrs": map[string]any{"essential": true, "value": id}}}
		text, err := json.Marshal(demand)
		if err != nil {
			return err
		}
		return &ClaimsError{Claims: string(text)}
	})
}

// Any passes who passes one of the checks; else the error is that of the last.
// No checks: nobody.
func Any(checks ...Check) Check {
	return func(s *Session) error {
		err := fmt.Errorf("msalext: check a session: %w: no check to pass", ErrForbidden)
		for _, check := range checks {
			if err = check(s); err == nil {
				return nil
			}
		}
		return err
	}
}
