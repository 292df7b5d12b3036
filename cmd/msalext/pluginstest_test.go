//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions/plugintest"
)

// built builds programs into a new directory.
func built(t *testing.T, packages ...string) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("go", append([]string{"build", "-buildvcs=false", "-o", dir + string(filepath.Separator)}, packages...)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return dir
}

func TestPluginsTest(t *testing.T) {
	t.Parallel()
	dir := built(t, ".", "../../plugins/file/cmd/msalext-plugin-file")
	msalext, binary := filepath.Join(dir, "msalext"), filepath.Join(dir, "msalext-plugin-file")
	// Those with other processes, in which this program is started again.
	out, err := exec.Command(msalext, "plugins", "test", "--run", "process|host", binary).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "passed          outlives its host") || !strings.Contains(string(out), " 0 failed, 0 not applicable") {
		t.Errorf("%v: %s", err, out)
	}
	var report plugintest.Report
	cmd := exec.Command(msalext, "--json", "plugins", "test", "--set", "colour=red", binary)
	out, err = cmd.Output()
	if err == nil || json.NewDecoder(bytes.NewReader(out)).Decode(&report) != nil || report.Count(plugintest.Failed) != 1 {
		t.Errorf("%v: %s", err, out)
	}
}
