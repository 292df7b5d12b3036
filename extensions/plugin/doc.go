// Package plugin turns a backend into a plugin process.
//
// A plugin's main function is one line:
//
//	func main() { plugin.Main(mystore.Backend()) }
//
// A program that is its own plugin, so that nothing has to be installed beside
// it, calls [ServeIfInvoked] first in main, before flags are read.
//
// # What the process does
//
// It speaks the protocol of docs/protocol.md to the program that started it,
// its host, and to nobody else: where the system tells, the process at the
// other end must be of the same user and be the parent. On Windows, where the
// channel is a local port, it demands the host's certificate instead.
//
// It ends when the host closes its last connection, when standard input ends,
// when nobody connects within ten seconds, when the host asks for it, and on
// SIGTERM. First it lets running calls finish and closes all stores, for five
// seconds at most; a host that lets it go kills it after two, and does so only
// when no call is under way, or when it is closed itself. Ctrl-C and a closed terminal don't end it: the host decides.
//
// A panic inside a call becomes an error of that call. What the backend prints
// goes to standard error, which the host logs as text of level debug; the real
// standard output belongs to the protocol. Any host of go-plugin's can start
// the process, without go-plugin's own streams and broker.
// Package slog's default logger writes to standard error in the host's format,
// at the level the host asks for; the values of secret settings are removed.
//
// Files that the process creates are for the user alone (umask 077), and it
// leaves no core file; on Linux it isn't dumpable either, so other processes
// of the user can't read its memory or look into its /proc directory.
//
// # Exit status
//
//	0  served, and ended in order; or printed its version
//	1  started by hand, and not by a host
//	2  a panic outside of any call
//	3  told to serve a backend that this program doesn't have
//	4  could not serve: no socket, or no protected way to the host
package plugin
