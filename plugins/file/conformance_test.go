package file_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/backendtest"
	"github.com/msalext/msalext/plugins/file"
)

// What a process needs to know that this test binary becomes for the kit.
const (
	workPath = "MSALEXT_FILE_TEST_PATH"
	workJob  = "MSALEXT_FILE_TEST_JOB"
)

// The child's work is done before the tests' own main function, which other
// files have for some systems only, gets to run.
func init() {
	if job := os.Getenv(workJob); job != "" {
		if err := work(os.Getenv(workPath), job); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}

func work(path, job string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := file.Backend().Open(ctx, backend.Config{Location: path, Path: path})
	if err != nil {
		return err
	}
	return errors.Join(backendtest.Work(ctx, s, job), s.Close())
}

// harness lets other processes use the files.
type harness struct{ *backendtest.Opener }

func (h harness) Work(ctx context.Context, job string) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, exe)
	cmd.Env = append(os.Environ(), workPath+"="+h.Config().Path, workJob+"="+job)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

func TestConformance(t *testing.T) {
	t.Parallel()
	backendtest.Run(t, harness{&backendtest.Opener{Backend: file.Backend()}})
}
