package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// busConfig is a session bus on which nothing can be started.
const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir=%s</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`

// startKeyring starts GNOME Keyring, with its files in a directory, on a bus of
// its own.
func startKeyring(ctx context.Context, dir string) (address string, stop func() error, err error) {
	config := filepath.Join(dir, "bus.conf")
	err = errors.Join(os.MkdirAll(filepath.Join(dir, "data"), 0o700), os.WriteFile(config, fmt.Appendf(nil, busConfig, os.TempDir()), 0o600))
	if err != nil {
		return "", nil, err
	}
	bus := exec.CommandContext(ctx, "dbus-daemon", "--nofork", "--nopidfile", "--print-address", "--config-file="+config)
	out, err := bus.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := bus.Start(); err != nil {
		return "", nil, err
	}
	said := bufio.NewScanner(out)
	said.Scan()
	keyring := exec.CommandContext(ctx, "gnome-keyring-daemon", "--unlock", "--components=secrets", "--foreground")
	keyring.Env = append(os.Environ(), "DBUS_SESSION_BUS_ADDRESS="+said.Text(), "HOME="+dir, "XDG_DATA_HOME="+filepath.Join(dir, "data"))
	keyring.Stdin = strings.NewReader("the password")
	stop = func() error { return errors.Join(killed(keyring), killed(bus), os.RemoveAll(dir)) }
	if err := keyring.Start(); err != nil {
		return "", nil, errors.Join(err, stop())
	}
	if err := awaitKeyring(ctx, said.Text()); err != nil {
		return "", nil, errors.Join(err, stop())
	}
	return said.Text(), stop, nil
}

// awaitKeyring waits until the keyring has a default collection.
func awaitKeyring(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		out, _ := exec.CommandContext(ctx, "dbus-send", "--bus="+address, "--print-reply", "--dest=org.freedesktop.secrets",
			"/org/freedesktop/secrets", "org.freedesktop.Secret.Service.ReadAlias", "string:default").Output()
		if strings.Contains(string(out), "/collection/") {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return errors.New("GNOME Keyring isn't ready after 30 seconds")
}

func killed(cmd *exec.Cmd) error {
	if cmd.Process == nil {
		return nil
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // says that it was killed
	return nil
}
