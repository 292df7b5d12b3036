package msal

import (
	"runtime"
	"strings"

	"github.com/msalext/msalext/extensions/tokencache"
)

// MSAL tells an accessor neither whether a token was just issued nor whether a
// sign-in or a refresh brought it: the hints carry a partition key alone, and
// that is the home account for a refresh by a public client, for a refresh by
// a confidential one and for its sign-in by code. Yet an error after the issue
// throws the token away, and only a refresh must not bring back an account
// that somebody signed out meanwhile. So the calling functions of MSAL's
// internal package base are looked up on the stack. Where they aren't found,
// the call counts as a read and a write as a sign-in, which loses no token.

const base = "/microsoft-authentication-library-for-go/apps/internal/base.Client."

// call is what MSAL is doing.
type call struct {
	issued bool // a token was issued and isn't stored yet
	op     tokencache.Op
}

func currentCall() call {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	var c call
	for {
		frame, more := frames.Next()
		switch _, method, _ := strings.Cut(frame.Function, base); method {
		case "AuthResultFromToken":
			c.issued = true
		case "AcquireTokenSilent":
			c.op = tokencache.OpSilent
		}
		if !more {
			return c
		}
	}
}
