package libsecret

import (
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"
)

func TestSocketName(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"unix:path=/run/user/1000/bus":         "/run/user/1000/bus",
		"unix:path=/run/bus,guid=0123":         "/run/bus",
		"unix:guid=0123,path=/run/bus":         "/run/bus",
		"unix:path=/a%20b%2cc%3B":              "/a b,c;",
		"unix:path=/a+b":                       "/a+b",
		"unix:abstract=/tmp/dbus-x":            "@/tmp/dbus-x",
		"":                                     "",
		"unix":                                 "",
		"unix:":                                "",
		"unix:path=":                           "",
		"unix:path":                            "",
		"unix:path=/a%2":                       "",
		"unix:path=/a%zz":                      "",
		"unix:runtime=yes":                     "",
		"unix:tmpdir=/tmp":                     "",
		"unixexec:path=/bin/sh,argv1=-c":       "",
		"autolaunch:":                          "",
		"launchd:env=DBUS_LAUNCHD":             "",
		"tcp:host=127.0.0.1,port=1,path=/x":    "",
		"nonce-tcp:host=127.0.0.1,port=1":      "",
		" unix:path=/run/bus":                  "",
		"UNIX:path=/run/bus":                   "",
		"unix:PATH=/run/bus":                   "",
		"systemd:":                             "",
		"unix:path=/run/bus%00,abstract=other": "/run/bus\x00",
	} {
		if got, ok := socketName(address); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v, want %q", address, got, ok, want)
		}
	}
}

func FuzzSocketName(f *testing.F) {
	f.Add("/run/user/1000/bus", "unix:abstract=x,guid=y")
	f.Add("a,b;c=d%e", "unixexec:path=/bin/sh")
	f.Fuzz(func(t *testing.T, path, address string) {
		if got, ok := socketName(address); ok && (got == "" || !strings.HasPrefix(address, "unix:")) {
			t.Errorf("%q: %q", address, got)
		}
		if path == "" {
			return
		}
		if got, ok := socketName("unix:path=" + dbus.EscapeBusAddressValue(path) + ",guid=0"); !ok || got != path {
			t.Errorf("%q comes back as %q, %v", path, got, ok)
		}
	})
}

// Not parallel: it sets the environment.
func TestBusAddress(t *testing.T) {
	dir := t.TempDir()
	with := func(session, runtimeDir string) string {
		t.Helper()
		t.Setenv("DBUS_SESSION_BUS_ADDRESS", session)
		t.Setenv("XDG_RUNTIME_DIR", runtimeDir)
		return busAddress()
	}
	if got := with("", dir); got != "" {
		t.Errorf("without a bus: %q", got)
	}
	if runtime.GOOS == "windows" {
		return // no session buses there
	}
	l, err := net.Listen("unix", filepath.Join(dir, "bus"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if name, ok := socketName(with("", dir)); !ok || name != filepath.Join(dir, "bus") {
		t.Errorf("with systemd's socket: %q", name)
	}
	if got := with("autolaunch:", dir); got != "autolaunch:" {
		t.Errorf("where one is named: %q", got)
	}
	t.Chdir(dir)
	if got := with("", "."); strings.Contains(got, "path=bus") {
		t.Errorf("a relative directory counts: %q", got)
	}
}
