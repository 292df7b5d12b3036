// Package persist keeps a token cache in a store that several processes share:
// it locks, reloads, merges and saves. It knows no plugins, so a program that
// links its backend in imports this package and is spared gRPC; package
// extensions adds finding and choosing backends.
//
// A [Persistence] is one item of a store: bytes that are read without a lock
// and changed by [Persistence.Update] alone, which holds the lock that the
// MSAL Extensions for Python, .NET and Node respect, and writes whole or not
// at all. A [PersistedTokenCache] on top of it knows what the bytes are: it
// reloads when another process wrote, merges entry by entry, and keeps a token
// that the store would not take until it can be written.
//
// # What is never lost
//
// Processes that write at once are merged. What can't be read is never
// overwritten. After a crash the store holds the old bytes or the new.
// [PersistedTokenCache.Quarantine] moves aside what is damaged, on request, and
// [Persistence.Restore] puts it back. [Persistence.Purge] alone removes everything.
//
// # Changes by others
//
// A token cache needs no care: each read sees what others wrote. Programs that
// show something and want to know when to look again use [Persistence.Watch].
package persist
