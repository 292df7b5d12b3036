//go:build !(darwin || freebsd || linux || windows)

package persist

const noNotices = false

// crowdLimit: few files are watched at once, in case each must be open.
const crowdLimit = 64

// remote isn't known here.
func remote(string) bool { return true }
