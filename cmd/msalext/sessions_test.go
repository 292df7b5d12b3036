package main

import (
	"context"
	"strings"
	"testing"

	goredis "github.com/redis/go-redis/v9"
)

// No error shows a password, wherever it was put, and none that shows to others is taken.
func TestSessionsShowNoPassword(t *testing.T) {
	const secret = "s3cret"
	t.Setenv("REDIS_PASSWORD", "")
	for name, c := range map[string]struct {
		redis string // the environment variable
		args  []string
		code  int
	}{
		"Sentinel's address":         {"redis://:s3cret@127.0.0.1:1", []string{"--redis-master", "m"}, exitUsage},
		"Sentinel's second address":  {"127.0.0.1:1,:s3cret@127.0.0.1:1", []string{"--redis-master", "m"}, exitUsage},
		"Sentinel's, without an @":   {"127.0.0.1:s3cret", []string{"--redis-master", "m"}, exitUsage},
		"Sentinel's, with a slash":   {"127.0.0.1:1/s3cret", []string{"--redis-master", "m"}, exitUsage},
		"Sentinel's, as a flag":      {"", []string{"--redis-master", "m", "--redis", "redis://:s3cret@127.0.0.1:1"}, exitUsage},
		"a server's":                 {"redis://user:s3cret@127.0.0.1:1", nil, exitUnavailable},
		"a server's, without scheme": {":s3cret@127.0.0.1:1", nil, exitUnavailable},
		"a server's, as a flag":      {"", []string{"--redis", ":s3cret@127.0.0.1:1"}, exitUsage},
		"another scheme":             {"https://:s3cret@127.0.0.1:1", nil, exitUsage},
		"an unescaped slash":         {"redis://:s3cret/x@127.0.0.1:1", nil, exitUsage},
		"a slash behind the address": {"redis://127.0.0.1:1/s3cret@127.0.0.1:1", nil, exitUsage},
		"an unescaped #":             {"redis://127.0.0.1:1#s3cret@127.0.0.1:1", nil, exitUsage},
		"an unescaped ?":             {"redis://127.0.0.1:1?s3cret@127.0.0.1:1", nil, exitUsage},
		"two addresses":              {"redis://:s3cret@127.0.0.1:1,redis://:s3cret@127.0.0.1:1", nil, exitUsage},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("REDIS", c.redis)
			for _, asJSON := range []bool{false, true} {
				args := append([]string{"sessions", "list", "--verbose"}, c.args...)
				if asJSON {
					args = append(args, "--json")
				}
				var out strings.Builder
				if code := run(context.Background(), args, strings.NewReader(""), &out, &out); code != c.code {
					t.Errorf("exit code %d: %s", code, &out)
				}
				if strings.Contains(out.String(), secret) || out.Len() == 0 {
					t.Errorf("it says %q", &out)
				}
			}
		})
	}
}

func TestRedisPassword(t *testing.T) {
	t.Setenv("REDIS_PASSWORD", "one")
	for address, want := range map[string]string{"127.0.0.1:1": "one", "redis://ann@127.0.0.1:1": "one", "redis://ann:two@127.0.0.1:1": "two"} {
		t.Setenv("REDIS", address)
		client, err := (&webSessions{command: &command{}}).client()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close() })
		if got := client.(*goredis.Client).Options().Password; got != want {
			t.Errorf("%s: the password is %q, not %q", address, got, want)
		}
	}
}
