//go:build !darwin || !cgo

package keychain

// Open refuses where there is no framework to call.
var calls security
