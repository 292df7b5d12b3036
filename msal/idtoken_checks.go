package msal

import (
	"cmp"
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Skew is how much the clocks of the provider and this machine may differ where
// nothing else is said, as in MSAL Python.
const Skew = 120 * time.Second

// IDTokenChecks is what [DecodeIDToken] compares. The zero value checks the
// time alone.
type IDTokenChecks struct {
	ClientID string        // must be in aud; empty: any
	Issuer   string        // must be iss, letter by letter; empty: any
	Nonce    string        // must be nonce; empty: any
	Now      time.Time     // the zero time is now
	Skew     time.Duration // 0 is [Skew]; less than 0 is none
}

func (c *IDTokenChecks) issuer(t *IDToken) error {
	if c.Issuer == "" || c.Issuer == t.Issuer {
		return nil
	}
	return &IDTokenError{Kind: ErrIDTokenIssuer, Err: fmt.Errorf("it says %.200q, not %q", t.Issuer, c.Issuer)}
}

// audience also looks at azp, which a token for several has to name its
// receiver in.
func (c *IDTokenChecks) audience(t *IDToken) error {
	if c.ClientID == "" {
		return nil
	}
	if !slices.Contains(t.Audience, c.ClientID) {
		return &IDTokenError{Kind: ErrIDTokenAudience, Err: fmt.Errorf("it says %.200q, not %q", strings.Join(t.Audience, " "), c.ClientID)}
	}
	if azp := t.Text("azp"); azp != "" && azp != c.ClientID {
		return &IDTokenError{Kind: ErrIDTokenAudience, Err: fmt.Errorf("its authorized party is %.200q", azp)}
	}
	return nil
}

func (c *IDTokenChecks) nonce(t *IDToken) error {
	if c.Nonce == "" || subtle.ConstantTimeCompare([]byte(c.Nonce), []byte(t.Nonce)) == 1 {
		return nil
	}
	return &IDTokenError{Kind: ErrIDTokenNonce} // either nonce may still be of use to somebody
}

func (c *IDTokenChecks) time(t *IDToken) error {
	now, skew := c.clock()
	const hint = "look at the clock and the time zone of this machine"
	if !now.Add(-skew).Before(t.Expires) {
		return &IDTokenError{Kind: ErrIDTokenTime, Err: fmt.Errorf("it was valid until %s; %s", stamp(t.Expires), hint)}
	}
	if now.Add(skew).Before(t.NotBefore) {
		return &IDTokenError{Kind: ErrIDTokenTime, Err: fmt.Errorf("it is valid from %s; %s", stamp(t.NotBefore), hint)}
	}
	return nil
}

func (c *IDTokenChecks) clock() (time.Time, time.Duration) {
	now := c.Now
	if now.IsZero() {
		now = time.Now()
	}
	return now, max(cmp.Or(c.Skew, Skew), 0)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
