package plugintest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/backendtest"
)

// What a child is asked to do.
const (
	jobWork = "work" // a job of backendtest
	jobSave = "save" // save until killed
)

// A job is what a child does. It travels on standard input, since it may hold
// secret settings.
type job struct {
	Kind     string
	Binary   string
	Name     string
	Settings backend.Settings
	Path     string // of the store
	Text     string // the job of backendtest
}

// Child does what a case needs in another process: it reads a job from in, and
// tells on out how far it is. The process should do nothing else, and end with
// a status that isn't 0 when there is an error; the texts of errors hold no
// secret.
func Child(ctx context.Context, in io.Reader, out io.Writer) error {
	var j job
	if err := json.NewDecoder(in).Decode(&j); err != nil {
		return invalid(fmt.Errorf("read what to do: %w", err), "this command is for msalext itself")
	}
	logs := &transcript{}
	o := Options{Binary: j.Binary, Name: j.Name, Settings: j.Settings}
	host := o.host(logs)
	b, err := host.Backend(ctx, j.Name)
	if err != nil {
		return err
	}
	c, err := o.config(b, j.Path)
	if err != nil {
		return err
	}
	s, err := b.Open(ctx, c)
	if err != nil {
		return err
	}
	return errors.Join(j.do(ctx, s, logs, out), s.Close(), host.Close())
}

func (j job) do(ctx context.Context, s backend.Store, logs *transcript, out io.Writer) error {
	switch j.Kind {
	case jobWork:
		return backendtest.Work(ctx, s, j.Text)
	case jobSave:
		if _, err := fmt.Fprintln(out, logs.pid()); err != nil {
			return err
		}
		return saveOn(ctx, s, out)
	}
	return invalid(fmt.Errorf("the job %q isn't known", j.Kind), "use one version of msalext")
}

// saveOn saves one numbered value after the other, and tells of each that was
// saved.
func saveOn(ctx context.Context, s backend.Store, out io.Writer) error {
	v := backend.None
	for n := 1; ; n++ {
		var err error
		if v, err = s.Save(ctx, savedKey, numbered(n, s.Info().MaxBytes), v); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out, n); err != nil {
			return err
		}
	}
}

const savedKey = "k"

// numbered is a value that tells its number at both ends.
func numbered(n int, limit int64) []byte {
	size := int64(64 << 10)
	if limit > 0 {
		size = min(size, limit)
	}
	number := fmt.Sprintf("%09d", n)
	return []byte(number + strings.Repeat(".", max(0, int(size)-2*len(number))) + number)
}

// running is a child at work.
type running struct {
	cmd    *exec.Cmd
	lines  *bufio.Reader
	stderr *bytes.Buffer
}

// child starts a child with a job.
func (o Options) child(ctx context.Context, j job) (*running, error) {
	j.Binary, j.Name, j.Settings = o.Binary, o.Name, o.Settings
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	r := &running{cmd: o.Child(ctx), stderr: &bytes.Buffer{}}
	r.cmd.Stdin, r.cmd.Stderr = bytes.NewReader(text), r.stderr
	out, err := r.cmd.StdoutPipe()
	if err == nil {
		r.lines, err = bufio.NewReader(out), r.cmd.Start()
	}
	return r, err
}

func (r *running) wait() error {
	if err := r.cmd.Wait(); err != nil {
		return fmt.Errorf("%w: %s", err, r.stderr)
	}
	return nil
}

// endOfFile forgets that there is no more to read.
func endOfFile(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
