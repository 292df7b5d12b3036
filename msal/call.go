package msal

import (
	"runtime"
	"strings"
	"sync"

	"github.com/msalext/msalext/extensions/tokencache"
)

// MSAL tells an accessor neither whether a token was just issued nor whether a
// sign-in or a refresh brought it: the hints carry a partition key alone, and
// that is the home account for a refresh by a public client, for a refresh by
// a confidential one and for its sign-in by code. Yet an error after the issue
// throws the token away, and only a refresh must not bring back an account
// that somebody signed out meanwhile. So the calling functions of MSAL's
// internal package base are looked up on the stack. Where they aren't found,
// the call counts as one that needs everything, and a write as a sign-in, which
// loses no token.

const base = "/microsoft-authentication-library-for-go/apps/internal/base.Client."

// call is what MSAL is doing.
type call struct {
	issued bool // a token was issued and isn't stored yet
	op     tokencache.Op
}

func currentCall() call {
	var pcs [32]uintptr
	var c call
	for method := range methods(pcs[:runtime.Callers(2, pcs[:])]) {
		switch method {
		case "AuthResultFromToken":
			c.issued = true
		case "AcquireTokenSilent":
			c.op = tokencache.OpSilent
		}
	}
	return c
}

// methods yields the methods of MSAL's base client among stack frames.
func methods(pcs []uintptr) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		frames := runtime.CallersFrames(pcs)
		for more := true; more; {
			var frame runtime.Frame
			frame, more = frames.Next()
			if _, method, ok := strings.Cut(frame.Function, base); ok && !yield(method) {
				return
			}
		}
	}
}

// sites remembers what the call sites of Replace need, since to name a call
// site takes longer than the rest of an unchanged Replace.
var sites sync.Map // return addresses -> need

// needOfCaller tells what the function that called Replace needs, where it names
// nobody. Between the two there may be a partition's Replace.
func needOfCaller() need {
	var pcs [2]uintptr
	runtime.Callers(3, pcs[:])
	if n, ok := sites.Load(pcs); ok {
		return n.(need)
	}
	n := need{everybody: true}
	for method := range methods(pcs[:]) {
		n.everybody = method != "AllAccounts" && method != "Account"
		n.signsOut = method == "RemoveAccount"
		break // what called that doesn't count
	}
	sites.Store(pcs, n)
	return n
}
