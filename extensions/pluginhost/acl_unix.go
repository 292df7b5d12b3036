//go:build unix && !linux

package pluginhost

// hasACL is what only Linux can ask by a file attribute.
func hasACL(string) bool { return false }

// runsByDescriptor: these systems have no way to name an open file to exec.
const runsByDescriptor = false
