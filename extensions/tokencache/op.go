package tokencache

import "fmt"

// Op is what an MSAL library did to the cache that it hands over. It decides
// who wins where one process signs out and another writes tokens.
type Op int

const (
	// OpAcquire is a sign-in: interactive, authorization code, device code,
	// password, or a token for the application itself. Its tokens are kept
	// even if the account was signed out meanwhile. It is the zero value: it
	// never loses a token that was just issued.
	OpAcquire Op = iota
	// OpSilent is a refresh without the person. What it brings for an account
	// that was signed out meanwhile is not kept.
	OpSilent
	// OpRemove is a sign-out. Sign-outs are recognised by what is gone,
	// because MSAL Go doesn't tell them from sign-ins; so this merges like
	// OpAcquire, and only says it more clearly.
	OpRemove
)

// String returns "acquire", "silent" or "remove".
func (o Op) String() string {
	switch o {
	case OpAcquire:
		return "acquire"
	case OpSilent:
		return "silent"
	case OpRemove:
		return "remove"
	}
	return fmt.Sprintf("Op(%d)", int(o))
}
