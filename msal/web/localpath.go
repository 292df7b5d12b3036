package web

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxTarget bounds where a sign-in leads, since it lies in a cookie meanwhile.
const maxTarget = 1500

// localPath returns where a browser may be led that was to go to a place that
// somebody else named: a path of this host, with its query, and "/" for all that
// is anything else, or that this function isn't sure of.
//
// Browsers (https://url.spec.whatwg.org) take a backslash for a slash, leave out
// tabs and line breaks wherever they are, and read what begins with two slashes
// as another host; proxies decode and shorten paths. So none of these pass, not
// even encoded.
func localPath(to string) string {
	if len(to) > maxTarget || !utf8.ValidString(to) || strings.ContainsFunc(to, hidden) {
		return "/"
	}
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || !safePath(u.Path) {
		return "/"
	}
	local := url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: printable(u.RawQuery)}
	return local.String()
}

// hidden are characters that people don't see, and the backslash.
func hidden(r rune) bool {
	return r == '\\' || unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

// safePath judges a decoded path.
func safePath(path string) bool {
	if !strings.HasPrefix(path, "/") || strings.Contains(path, "//") || strings.ContainsFunc(path, hidden) || !utf8.ValidString(path) {
		return false
	}
	segments := strings.Split(path[1:], "/")
	if slices.Contains(segments, ".") || slices.Contains(segments, "..") {
		return false
	}
	// Nobody would get out of these again.
	return segments[0] != "user" || len(segments) < 2 || !slices.Contains([]string{"login", "authorized", "logout"}, segments[1])
}

// printable encodes what may not stand in a header field or a URL.
func printable(query string) string {
	var b strings.Builder
	for _, c := range []byte(query) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>`^{|}", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}
