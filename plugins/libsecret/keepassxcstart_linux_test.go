//go:build secretservice

package libsecret

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// services are what the most common tests run on.
var services = map[string]func(*desktop, testing.TB){
	"GNOME Keyring": func(d *desktop, t testing.TB) { d.keyring(t) },
	"KeePassXC":     func(d *desktop, t testing.TB) { d.keepassxc(t, keepassSettings{}) },
}

const keepassPassword = "the password"

// emptyDatabase is what keepassxc-cli makes a database of. A database is on the
// bus when it says which group is.
const emptyDatabase = `<?xml version="1.0" encoding="UTF-8"?>
<KeePassFile>
  <Meta><CustomData><Item><Key>FDO_SECRETS_EXPOSED_GROUP</Key><Value>{11111111-1111-1111-1111-111111111111}</Value></Item></CustomData></Meta>
  <Root><Group><UUID>qqqqqqqqqqqqqqqqqqqqqg==</UUID><Name>all</Name>
    <Group><UUID>EREREREREREREREREREREQ==</UUID><Name>exposed</Name></Group>
  </Group></Root>
</KeePassFile>
`

// newDatabase is the content of a KeePass database without entries.
var newDatabase = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp(memory(), "kdbx-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	from, to := filepath.Join(dir, "xml"), filepath.Join(dir, "kdbx")
	if err := os.WriteFile(from, []byte(emptyDatabase), 0o600); err != nil {
		return nil, err
	}
	// The least time that it takes to derive a key: each save takes it.
	cmd := exec.Command("keepassxc-cli", "import", "--set-password", "--decryption-time", "100", from, to)
	cmd.Stdin = strings.NewReader(keepassPassword + "\n" + keepassPassword + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	return os.ReadFile(to)
})

// keepassSettings are KeePassXC's that a test chooses.
type keepassSettings struct {
	locked        bool // at first
	saves         bool // each change goes to the file, which takes 100 ms of computing
	confirmAccess bool // as it is where nobody has changed it
	confirmDelete bool // likewise
	asksToSearch  bool // likewise
}

const keepassConfig = `[General]
ConfigVersion=2
SingleInstance=false
AutoSaveAfterEveryChange=%[1]t
[GUI]
CheckForUpdates=false
[FdoSecrets]
Enabled=true
ShowNotification=false
ConfirmAccessItem=%[2]t
ConfirmDeleteItem=%[3]t
UnlockBeforeSearch=%[4]t
`

// keepassxc starts KeePassXC with an open database: an empty one at first.
func (d *desktop) keepassxc(t testing.TB, s keepassSettings) *program {
	t.Helper()
	database, config := filepath.Join(d.dir, "home", "tests.kdbx"), filepath.Join(d.dir, "keepassxc.ini")
	data, err := newDatabase()
	if _, missing := os.Stat(database); err == nil && missing != nil {
		err = os.WriteFile(database, data, 0o600)
	}
	text := fmt.Appendf(nil, keepassConfig, s.saves, s.confirmAccess, s.confirmDelete, s.asksToSearch)
	if err := errors.Join(err, os.WriteFile(config, text, 0o600)); err != nil {
		t.Fatal(err)
	}
	args := []string{"QT_QPA_PLATFORM=offscreen", "keepassxc", "--config", config, "--localconfig", config + ".local", database}
	if !s.locked {
		args = append(args, "--pw-stdin")
	}
	p := d.start(t, keepassPassword+"\n", "env", args...)
	d.ready(t, p, s.locked)
	return p
}

// written waits until the database's file has been written and the last change
// with it: KeePassXC does so some time after a change.
func (d *desktop) written(t testing.TB) {
	t.Helper()
	eventually(t, "the database has it", func() bool {
		cmd := exec.Command("keepassxc-cli", "export", "--format", "xml", filepath.Join(d.dir, "home", "tests.kdbx"))
		cmd.Stdin = strings.NewReader(keepassPassword + "\n")
		out, err := cmd.Output()
		return err == nil && strings.Contains(string(out), "ü")
	})
}
