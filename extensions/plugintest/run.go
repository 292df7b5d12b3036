package plugintest

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/backendtest"
)

// An examination is one case that looks at the plugin as a process.
type examination struct {
	*trial
	options Options
	logs    *transcript // of all cases
}

// fault is such a case.
type fault struct {
	name, doc string
	find      func(*examination)
}

func faults() []fault {
	return slices.Concat(startFaults(), wireFaults(), endFaults(), secretFaults(), outputFaults())
}

// Cases lists the names of all cases, in the order in which Run runs them.
func Cases() []string {
	names := []string{startFault.name}
	for _, c := range backendtest.Cases() {
		names = append(names, c.Name)
	}
	for _, f := range faults() {
		names = append(names, f.name)
	}
	return names
}

// Run judges a plugin. A plugin that has faults is no error: the report tells.
// Where it doesn't even start, that is the report's only result. The error is
// ErrInvalid for options that can't be used, or ctx's: then the report has what
// was found until then.
func Run(ctx context.Context, o *Options) (*Report, error) {
	options, err := o.filled()
	if err != nil {
		return &Report{}, err
	}
	began := time.Now()
	r := &runner{ctx: ctx, options: options, report: Report{Binary: options.Binary, Backend: options.Name}}
	r.all()
	r.report.TookMS = float64(time.Since(began).Microseconds()) / 1000
	return &r.report, context.Cause(ctx)
}

// A runner runs the cases, one after the other.
type runner struct {
	ctx     context.Context
	options Options
	logs    transcript
	report  Report
}

func (r *runner) all() {
	if !r.examine(startFault) {
		return
	}
	r.through()
	for _, f := range faults() {
		if r.wanted(f.name) {
			r.examine(f)
		}
	}
}

func (r *runner) wanted(name string) bool { return r.ctx.Err() == nil && r.options.Match(name) }

func (r *runner) add(result Result) bool {
	if r.ctx.Err() != nil && result.Outcome == Failed {
		return false // it was interrupted, and isn't the plugin's fault
	}
	r.report.Results = append(r.report.Results, result)
	r.options.Reported(result)
	return result.Outcome != Failed
}

func (r *runner) examine(f fault) bool {
	return r.add(try(r.ctx, f.name, f.doc, func(t *trial) {
		f.find(&examination{trial: t, options: r.options, logs: &r.logs})
	}))
}

// through runs the cases of backendtest through one host. A store that stays
// open keeps the process, so that not each case starts a new one.
func (r *runner) through() {
	cases := slices.DeleteFunc(backendtest.Cases(), func(c backendtest.Case) bool { return !r.options.Match(c.Name) })
	logs := &transcript{}
	host := r.options.host(logs)
	defer func() {
		_ = host.Close()
		_, _ = r.logs.Write(logs.bytes())
	}()
	b, err := host.Backend(r.ctx, r.options.Name)
	if err != nil {
		cases = nil // it has just started: this is ctx's end, or the next case's business
	} else {
		r.report.Version = b.Describe().Version
		defer r.keep(b)()
	}
	h := r.harness(b)
	for _, c := range cases {
		if r.wanted(c.Name) {
			r.add(try(r.ctx, c.Name, c.Doc, func(t *trial) { c.Run(t, h) }))
		}
	}
}

// keep opens a store, and returns what closes it.
func (r *runner) keep(b backend.Backend) func() {
	t := &trial{ctx: r.ctx}
	c, err := r.options.config(b, t.place())
	if err != nil {
		return t.end
	}
	s, err := b.Open(r.ctx, c)
	return func() {
		if err == nil {
			_ = s.Close()
		}
		t.end()
	}
}

func (r *runner) harness(b backend.Backend) backendtest.Harness {
	o := &backendtest.Opener{Backend: b, NewConfig: func(t backendtest.T) backend.Config {
		path := t.(*trial).place()
		c, err := r.options.config(b, path)
		if err != nil {
			t.Fatalf("%v", err)
		}
		return c
	}}
	if r.options.Child == nil {
		return o
	}
	return working{o, r.options}
}

// working lets other processes use the same items, each by a plugin of its own.
type working struct {
	*backendtest.Opener
	options Options
}

// Work runs a job of backendtest in a child.
func (w working) Work(ctx context.Context, text string) error {
	c, err := w.options.child(ctx, job{Kind: jobWork, Path: w.Config().Path, Text: text})
	if err != nil {
		return err
	}
	_, err = c.lines.ReadString(0)
	return errors.Join(c.wait(), endOfFile(err))
}
