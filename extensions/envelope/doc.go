// Package envelope encrypts what a store keeps, whichever store it is: in front
// of a file, of SQLite or of Redis, with a key that lies elsewhere.
//
//	keys := envelope.FromItem(keyStore) // a *persist.Persistence of the OS key store
//	p, err := extensions.Open(ctx, "sqlite", location, &extensions.Options{Envelope: keys})
//
// [Wrap] does the same for a program that links a store in without package
// extensions. The encryption happens in the program, so a plugin or a server
// gets ciphertext alone.
//
// # What is stored
//
//	magic[8] version[1] algorithm[1] n[1] id[n] salt[32] | nonce[12] ciphertext tag[16]
//
// The magic is 0x89 "MSALENV", version and algorithm are 1, and id names the key
// in clear. Numbers have one byte each; there is nothing else.
//
// Each message has an AES-256-GCM key of its own: HKDF-SHA256 of the key with the
// random salt and a fixed purpose. Random nonces of 96 bits under one key are
// safe for some 2^32 messages (NIST SP 800-38D, section 8.3), which a busy server
// reaches; behind 256 random bits of salt no number of messages matters, and
// nobody has to count. Not done: XChaCha20-Poly1305, which needs no derivation
// and isn't approved where FIPS 140 rules; AES-GCM-SIV, which the standard
// library hasn't.
//
// Authenticated, besides the ciphertext, are the header, [Options.StoreID] and
// the item's key, each with its length. So an item can't be changed, cut, or put
// in the place of another or of another store's. The path is no part of it: a
// home that was moved opens.
//
// # What it keeps from whom
//
// Who has the stored bytes and not the key learns their length, the key's ID and
// when they changed. Who can write the store can't forge or exchange items. They
// can put an older version of an item back, or delete it: the envelope doesn't
// notice, since it keeps no state of its own. Who runs as the same user, or as
// root, reads the key where the program reads it.
//
// # When it doesn't open
//
// [backend.ErrDecrypt]: the key is missing, or is another; what is stored isn't
// encrypted, or a newer version encrypted it; or it was changed, or belongs to
// another item. [backend.ErrCorrupt]: an envelope that isn't whole. In either
// case it stays as it is, and a Save in its place fails likewise. Nor is a new key
// made, or anything stored with a key that opens none of what is there: a store
// that two keys are needed for would be the result.
//
// A source of keys that can't be reached, is locked or says no is another error,
// with the source's own kind; it says nothing of the data.
//
// # Several keys
//
// A source may have several keys: the first encrypts, all decrypt. To change
// keys, in this order:
//
//  1. Add one: [Item.Rotate] or [File.Rotate].
//  2. Wait 5 minutes, in which running programs may still write with the old key.
//  3. Encrypt everything anew: Persistence.RewrapAll.
//  4. Once that succeeded, remove the old: [Item.Retire] or [File.Retire].
//
// Whoever encrypts anew before the wait is over loses what was written with the old
// key after that. [Several] changes from one source to another: the new one is
// first, and has to be so in every program before everything is encrypted anew.
//
// Keys stay in memory until the store is closed; they are overwritten then, as far
// as Go's runtime made no copies.
package envelope
