package msaltest

import (
	"cmp"
	"time"
)

// Defaults that apply where a field of [Options] is zero.
const (
	DefaultTenant             = "contoso.example"
	DefaultPassword           = "correct-horse-battery"
	DefaultExpiresIn          = time.Hour
	DefaultDeviceCodeLifetime = 15 * time.Minute
	DefaultDeviceCodeInterval = time.Second
)

// Options says how a [Server] behaves. The zero value is useful; durations
// are sent in whole seconds because the protocol knows nothing finer.
type Options struct {
	// Tenant is the path segment of [Server.Authority]: a domain name, a GUID
	// or "common". It must not contain "token": MSAL Go derives the device
	// code endpoint by replacing that word in the whole URL.
	// Empty means [DefaultTenant].
	Tenant string

	// Password is what every user without a password of its own signs in
	// with. Empty means [DefaultPassword], preceded by Marker and "-" when
	// there is a Marker.
	Password string

	// ClientSecret is the secret that confidential clients must present.
	// Empty means that any secret will do. Client assertions are accepted
	// unread either way. [Server.AddApp] says more of one application.
	ClientSecret string

	// ExpiresIn is the lifetime of access tokens, rounded up to a second; zero
	// or less means [DefaultExpiresIn]. MSAL Go doesn't cache an access token
	// that lives for less than five minutes, so with a shorter lifetime every
	// silent call redeems the refresh token.
	ExpiresIn time.Duration

	// RefreshIn is sent as refresh_in: the age at which a client should renew
	// an access token that is still valid. Rounded up to a second; zero or
	// less means that it isn't sent.
	RefreshIn time.Duration

	// FamilyID is sent as foci. With "1", as Microsoft's own applications have
	// it, a refresh token works for every client id; when empty, only for the
	// client it was issued to.
	FamilyID string

	// SingleUseRefreshTokens refuses a refresh token that was redeemed before
	// (invalid_grant). Each redemption issues a new one in any case; like
	// Entra ID, the fake goes on accepting the old one by default.
	SingleUseRefreshTokens bool

	// Pending is how many polls of each device code are answered
	// authorization_pending before anything that a person did counts.
	Pending int

	// SlowDown is how many polls are then answered slow_down (RFC 8628 §3.5).
	SlowDown int

	// Approver is the user who approves every device code, and who signs in at
	// the authorization endpoint when there is no login_hint. When empty,
	// device codes wait for [Server.Approve].
	Approver string

	// DeviceCodeInterval is the polling interval sent to clients, rounded down
	// to seconds: less than a second is sent as 0, and zero means
	// [DefaultDeviceCodeInterval]. MSAL Go 1.10 ignores it, 0 and 1 alike: it
	// polls after 50, 150, 450, 1350 ms, 4 s, then every 5 s. Clients that
	// obey it, as MSAL Python does, wait for that long before each poll. The
	// fake never refuses a poll for coming early.
	DeviceCodeInterval time.Duration

	// DeviceCodeLifetime is how long a device code can be redeemed, rounded up
	// to a second; zero or less means [DefaultDeviceCodeLifetime]. Clients
	// give up by themselves at that time: to see expired_token from the
	// server, use [Server.ExpireDeviceCode].
	DeviceCodeLifetime time.Duration

	// Marker is contained, as it is, in every secret that the fake issues:
	// access, refresh and ID tokens, device codes, authorization codes and the
	// default password. A test can search logs, files and process lists for
	// it. User codes don't carry it, being shown to people. Use letters,
	// digits, "-" and "_" only; others would change in JSON or URLs.
	//
	// A token that contains it can't be signed: with a marker all tokens have
	// the algorithm "none", and only the fake itself can check them.
	Marker string

	// Latency is how long each endpoint waits before it answers. A request
	// whose client goes away, or that Close interrupts, stops waiting.
	Latency time.Duration
}

// withDefaults returns a copy of o in which nothing is left open; o may be nil.
func (o *Options) withDefaults() Options {
	var full Options
	if o != nil {
		full = *o
	}
	full.Tenant = cmp.Or(full.Tenant, DefaultTenant)
	if full.Password == "" {
		full.Password = full.marked(DefaultPassword)
	}
	full.ExpiresIn = positive(full.ExpiresIn, DefaultExpiresIn)
	full.RefreshIn = max(full.RefreshIn, 0)
	full.DeviceCodeInterval = max(cmp.Or(full.DeviceCodeInterval, DefaultDeviceCodeInterval), 0)
	full.DeviceCodeLifetime = positive(full.DeviceCodeLifetime, DefaultDeviceCodeLifetime)
	return full
}

// marked puts the marker in front of a secret.
func (o *Options) marked(secret string) string {
	if o.Marker == "" {
		return secret
	}
	return o.Marker + "-" + secret
}

func positive(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}

// wholeSeconds rounds up, so that a short lifetime doesn't become none.
func wholeSeconds(d time.Duration) int {
	return int((d + time.Second - 1) / time.Second)
}
