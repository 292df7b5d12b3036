// Package chaos kills programs that use msalext, and makes the system fail
// under them, to see whether what docs/design.md promises holds: a read is
// some published state, a write that was reported as done stays, the next
// writer proceeds, and the next start leaves nothing behind that a dead
// program made.
//
// It holds tests only, behind the build tag "chaos": they need Linux, root
// and strace. ci/chaos/run runs them.
package chaos
