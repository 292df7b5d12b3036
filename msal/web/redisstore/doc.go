// Package redisstore keeps the sessions of web apps on a Redis server, and works
// on them from outside of the web server: for jobs, for administrators, for the
// command msalext sessions.
//
// A [Store] is a store of github.com/alexedwards/scs. It reads and writes what
// scs's own goredisstore does, so one can take the other's place, and adds what
// that one lacks: Sentinel and Cluster, replicas that must have acknowledged a
// session before it counts, and listing page by page.
//
// [Sessions] finds the sessions of a person, by account or by e-mail address, uses
// the tokens of one of them and stores what is refreshed, ends them, and lists
// those that are of no use any more. What it refreshes goes through the token store's
// compare-and-swap and is merged, so a web server that refreshes at the same
// moment loses nothing.
//
// Redis has no index of sessions by person: each listing looks at all of them,
// 1,000 in one round trip.
//
// # Who can do what
//
// A web.App stores a session under a hash of what the cookie holds, so whoever can
// read the server can't take a session over; a session manager of one's own does
// so with HashTokenInStore. Whoever can write the server can make sessions. A
// [Session] doesn't tell its name, but a Mark that is of no use to anybody. Tokens
// aren't in sessions; they lie in the token store, which is encrypted.
package redisstore
