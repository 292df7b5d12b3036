// Package pluginhost finds plugins, checks them, starts them and keeps them
// running: the host's side of an out-of-process store.
//
// A [Host] owns one process per backend name, shared by every store opened
// through it. [Host.Backend] gives a [backend.Backend] that looks like one
// linked into the program; a process that dies is replaced at the next call.
//
// # Where a plugin comes from
//
// The first of these that has the name is used, and none is skipped because it
// is refused:
//
//  1. A path given in code ([Options.Plugins]). It comes first because it is
//     explicit.
//  2. The program itself, started again, when it called plugin.ServeIfInvoked
//     with a backend of that name. Never in a process that is itself a plugin.
//  3. msalext-plugin-<name> (.exe on Windows) in the directories given in code
//     ([Options.Dirs]).
//  4. The same in the directory that MSALEXT_PLUGIN_DIR names, when
//     [Options.AllowEnv] says so.
//  5. The system's directories: /usr/libexec/msalext and
//     /usr/local/libexec/msalext, or msalext in the Program Files folder. All
//     of the way there must belong to root (on Windows: to the system).
//  6. msalext-plugins beside the program's executable, symlinks resolved.
//  7. msalext/plugins in the user's data directory ($XDG_DATA_HOME or
//     ~/.local/share; ~/Library/Application Support; %LocalAppData%), only
//     when its SHA-256 is in [Options.Hashes] or the user trusts it ([Install],
//     [Trust]).
//
// PATH, the working directory and the executable's own directory are never
// searched. A program that runs with rights that its user doesn't have (set-uid,
// file capabilities, sudo, an elevated Windows token) uses itself and the
// system's directories only, and a path given in code as far as it belongs to
// root all the way.
//
// # What is refused
//
// A binary is refused, with the reason, when its path is relative, a symlink
// leads out of its directory, it isn't a regular executable file, it is set-uid
// or set-gid, it is a script and [Options.AllowScripts] is off, its hash isn't the
// one given, or when someone other than root and the effective user owns it, can
// write it, or can write or rename a directory on the way to it. Sticky directories of root, such as /tmp, are accepted
// further up, and so is group-write permission for a group that has the owner
// alone as member. On Windows the access control lists are read for the same
// questions.
//
// # Which hashes are trusted
//
// A hash has to be right where the program gives one, in the user's data
// directory, and everywhere when a [Policy] asks for it: the program's, the
// machine's or the environment's, whichever is strictest. What the program gives
// comes first; else it is what the user trusts, which is recorded in trusted.json
// beside the directory by [Install] and [Trust] and by nothing else. A binary that
// changed since is refused. A program with rights that its user doesn't have
// takes no notice of the user's record.
//
// A hash that was verified is remembered in the user's cache directory, together
// with the file's device, inode, size and times, so that the next start needn't
// read the file. Whoever could forge that memory has the user's rights, and could
// change the record as well. It isn't used with rights that the user doesn't
// have, nor for a file that was changed in the last seconds.
//
// On Linux the very file that was checked is what runs. On Windows it is open
// until the start is over, in such a way that nobody can write or rename it.
// Elsewhere, where a hash has to be right, a copy runs that has this hash and
// lies in a private directory, msalext/checked in the user's cache directory. On
// all systems the file's status (with ctime) is compared again after the start,
// and a plugin whose file changed is ended before it is told anything.
//
// # What a plugin process gets
//
// A short list of environment variables ([Environment]) and nothing else of the
// host's; the other variables that it asks for and [Options.Env] allows come
// with each Open. In a program with rights that its user doesn't have, those
// few are made from the account that it runs as: otherwise its user would choose
// the files and the session bus that are used with these rights. Its standard
// input is a pipe that the host holds open: its end tells that the host is gone. It is in a process group of its own. What it
// writes on standard error is logged at the level it names, or Debug. On Unix
// it listens on a socket in a private directory, and both sides ask the kernel
// who is at the other end; on Windows it listens on a loopback port, and both
// sides hold a certificate made for that one start.
package pluginhost
