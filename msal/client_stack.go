package msal

import "runtime"

// onStack tells whether a method of MSAL's base client is being called.
func onStack(method string) bool {
	var pcs [48]uintptr
	for m := range methods(pcs[:runtime.Callers(2, pcs[:])]) {
		if m == method {
			return true
		}
	}
	return false
}
