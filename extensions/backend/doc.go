// Package backend is what the author of a token-cache store implements.
//
// A [Backend] opens a [Store]; a Store keeps items, each a byte string under a
// key, and knows nothing of tokens, locks or merging: package persist does
// that for every store alike. The same two interfaces serve a store that is
// linked into the program and one that runs as a plugin in a process of its
// own, so code that satisfies them is complete; [extensions/plugin] turns it
// into a plugin with one call.
//
// # What a store promises
//
// Load answers bytes and their [Version] together, and Save names the version
// that it replaces. A version differs whenever the stored bytes differ, so
// that nobody ever has to compare times. Data that can't be read is never
// overwritten: Load says [ErrCorrupt] or [ErrDecrypt], and Save over it fails
// the same way.
//
// Load, Save and Delete never ask the user anything. A store that is locked
// answers [ErrLocked]; only [Unlocker] may prompt.
//
// # Optional powers
//
// What not every store can do is an interface of its own: [Watcher],
// [Unlocker], [Lister], [Expirer], [Checker]. A store announces its powers in
// [Info.Caps], and callers reach them through [Can], which demands both the
// announcement and the method: a wrapper or a remote store has all methods and
// announces only what the wrapped store can do. A method whose power isn't
// announced answers [ErrUnsupported].
//
// # Errors
//
// Every failure is an [*Error] with one of the kinds of this package, and with
// Op and Backend; its text has no control characters. errors.Is and errors.As
// work alike in process and across the plugin boundary. "The store can't be reached" ([ErrUnavailable]) and "the data
// can't be read" ([ErrCorrupt], [ErrDecrypt]) are never the same error.
//
// This package imports the standard library only.
//
// [extensions/plugin]: https://pkg.go.dev/github.com/msalext/msalext/extensions/plugin
package backend
