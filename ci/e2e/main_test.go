//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// program is the example, built.
var program string

func TestMain(m *testing.M) {
	code, err := runAll(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func runAll(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "msalext-e2e-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.MkdirAll(screenshots(), 0o700); err != nil {
		return 1, err
	}
	program = filepath.Join(dir, "webapp")
	if out, err := exec.Command("go", "build", "-o", program, "../../examples/webapp").CombinedOutput(); err != nil {
		return 1, fmt.Errorf("build the example: %w\n%s", err, out)
	}
	stop, err := startBrowser(dir)
	if err != nil {
		return 1, fmt.Errorf("start the browser: %w", err)
	}
	defer stop()
	return m.Run(), nil
}

// cache is where ci/e2e/run puts what it downloads, and where pictures go.
func cache() string {
	if dir := os.Getenv("E2E_CACHE"); dir != "" {
		return dir
	}
	return "../../.cache/e2e"
}

func screenshots() string { return filepath.Join(cache(), "screenshots") }
