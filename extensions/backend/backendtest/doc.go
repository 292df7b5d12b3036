// Package backendtest is the conformance kit for backends: whoever writes a
// store runs it, and knows that the store keeps what [backend.Store] promises.
//
//	func TestConformance(t *testing.T) {
//		backendtest.Run(t, &backendtest.Opener{Backend: mine.Backend()})
//	}
//
// The same cases judge a store that is linked in, one behind a connection and
// one in a plugin's process: what opens it is the [Harness]. They need no go
// test either: [Cases] run on anything that implements [T], such as a command
// line that checks a store on the machine where it will be used. Importing
// package testing, as [Run] requires, registers no flags in such a command;
// only a test binary does that.
//
// A case is named for the fault that it finds, so "alters 4 MiB + 1 B" failing
// says what is wrong with the store. Cases that ask for a power which the store
// doesn't announce log so and pass. Everything a case writes lies in the stores
// that the harness opened for it.
//
// This package imports the standard library and package backend only.
package backendtest
