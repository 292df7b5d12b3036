//go:build unix

package pluginhost

import (
	"bufio"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseHandshake(t *testing.T) {
	dir := t.TempDir()
	socket := filepath.Join(dir, "plugin1")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	long := base64.RawStdEncoding.EncodeToString(make([]byte, 100))
	for name, c := range map[string]struct {
		line string
		dir  string
		tls  bool
		want error // nil: accepted
	}{
		"socket":                   {"1|1|unix|" + socket + "|grpc", dir, false, nil},
		"socket, empty field":      {"1|1|unix|" + socket + "|grpc|", dir, false, nil},
		"certificate not asked":    {"1|1|unix|" + socket + "|grpc|" + long, dir, false, nil},
		"multiplexing offered":     {"1|1|unix|" + socket + "|grpc||true", dir, false, nil},
		"port":                     {"1|1|tcp|127.0.0.1:49152|grpc|", "", false, nil},
		"empty":                    {"", dir, false, errRubbish},
		"too few fields":           {"1|1|unix|" + socket, dir, false, errRubbish},
		"too many fields":          {"1|1|unix|" + socket + "|grpc||true|x", dir, false, errRubbish},
		"core not a number":        {"x|1|unix|" + socket + "|grpc|", dir, false, errRubbish},
		"core of another kind":     {"01|1|unix|" + socket + "|grpc|", dir, false, errCore},
		"version not a number":     {"1|one|unix|" + socket + "|grpc|", dir, false, errRubbish},
		"net/rpc":                  {"1|1|unix|" + socket + "|netrpc|", dir, false, errTransport},
		"port in place of socket":  {"1|1|tcp|127.0.0.1:1|grpc|", dir, false, errAddress},
		"socket in place of port":  {"1|1|unix|" + socket + "|grpc|", "", false, errAddress},
		"every interface":          {"1|1|tcp|0.0.0.0:1|grpc|", "", false, errAddress},
		"another machine":          {"1|1|tcp|example.com:1|grpc|", "", false, errAddress},
		"port 0":                   {"1|1|tcp|127.0.0.1:0|grpc|", "", false, errAddress},
		"port by name":             {"1|1|tcp|127.0.0.1:http|grpc|", "", false, errAddress},
		"outside":                  {"1|1|unix|" + dir + "/../plugin1|grpc|", dir, false, errAddress},
		"below":                    {"1|1|unix|" + dir + "/a/plugin1|grpc|", dir, false, errAddress},
		"not clean":                {"1|1|unix|" + dir + "//plugin1|grpc|", dir, false, errAddress},
		"no socket":                {"1|1|unix|" + dir + "/file|grpc|", dir, false, errAddress},
		"missing":                  {"1|1|unix|" + dir + "/none|grpc|", dir, false, errAddress},
		"certificate missing":      {"1|1|unix|" + socket + "|grpc", dir, true, errCertificate},
		"certificate not base64":   {"1|1|unix|" + socket + "|grpc|!!", dir, true, errCertificate},
		"certificate is something": {"1|1|unix|" + socket + "|grpc|" + long, dir, true, errCertificate},
	} {
		t.Run(name, func(t *testing.T) {
			h, err := parseHandshake(c.line, c.dir, c.tls)
			if !errors.Is(err, c.want) {
				t.Errorf("error: %v", err)
			}
			if line, _ := io.ReadAll(h.line()); c.want == nil && strings.Count(string(line), "|") != 5 {
				t.Errorf("go-plugin gets %q", line)
			}
		})
	}
}

func TestReadHandshake(t *testing.T) {
	for name, c := range map[string]struct {
		in, line string
		want     error
	}{
		"line":          {"a|b\r\nrest", "a|b", nil},
		"no end":        {"a|b", "a|b", nil},
		"nothing":       {"", "", errNoHandshake},
		"without limit": {strings.Repeat("x", maxHandshake+1), "", errRubbish},
	} {
		line, err := readHandshake(bufio.NewReader(strings.NewReader(c.in)))
		if line != c.line || !errors.Is(err, c.want) {
			t.Errorf("%s: %q %v", name, line, err)
		}
	}
}

func FuzzPluginOutput(f *testing.F) {
	f.Add([]byte("1|1|tcp|127.0.0.1:1|grpc|"))
	f.Add([]byte(`{"@message":1,"@level":"warn"}`))
	f.Fuzz(func(t *testing.T, out []byte) {
		for _, tls := range []bool{false, true} {
			h, err := parseHandshake(string(out), "", tls)
			if err == nil && !strings.HasPrefix(h.address, "127.0.0.1:") {
				t.Errorf("accepted %q", out)
			}
		}
		_, message, attrs := parseLog(out)
		for _, text := range append([]string{message}, keysOf(attrs)...) {
			if strings.ContainsAny(text, "\x1b\n\r\x00") {
				t.Errorf("logged %q", text)
			}
		}
	})
}

func keysOf(attrs []slog.Attr) []string {
	var all []string
	for _, a := range attrs {
		all = append(all, a.Key, a.Value.String())
	}
	return all
}
