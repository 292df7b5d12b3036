package redis

import (
	"net"
	"strconv"
	"strings"
)

// addresses are where the servers, or Sentinels, listen: host:port each, or one
// path.
func addresses(setting string, sentinel bool) ([]string, error) {
	port := "6379"
	if sentinel {
		port = "26379"
	}
	if setting == "" {
		return []string{net.JoinHostPort("127.0.0.1", port)}, nil
	}
	if path, ok := socket(setting); ok {
		return []string{path}, nil
	}
	var all []string
	for text := range strings.SplitSeq(setting, ",") {
		a, ok := address(strings.TrimSpace(text), port)
		if !ok {
			if strings.Contains(setting, "@") { // it may hold a password
				setting = "…"
			}
			return nil, invalid("address", setting, "set it to host:port without a scheme, to several joined by \",\", or to the absolute path of a Unix socket")
		}
		all = append(all, a)
	}
	return all, nil
}

func socket(setting string) (path string, ok bool) {
	path = strings.TrimPrefix(setting, "unix:")
	return path, strings.HasPrefix(path, "/") // as go-redis tells it from a host
}

func address(text, port string) (string, bool) {
	host, given, err := net.SplitHostPort(text)
	if err != nil {
		host, given = strings.Trim(text, "[]"), port
		if strings.Contains(host, ":") && net.ParseIP(host) == nil {
			return "", false
		}
	}
	n, err := strconv.ParseUint(given, 10, 16)
	if err != nil || n == 0 || host == "" || strings.ContainsAny(host, "/@ \x00") {
		return "", false
	}
	return net.JoinHostPort(host, given), true
}
