package plugintest

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// An Outcome is how a case ended.
type Outcome string

// The outcomes. They are written so in JSON too.
const (
	Passed        Outcome = "passed"
	Failed        Outcome = "failed"
	NotApplicable Outcome = "not applicable"
)

// A Result is what became of one case.
type Result struct {
	Case    string   `json:"case"` // the fault that it looks for
	Doc     string   `json:"doc"`  // what a plugin must do, a sentence
	Outcome Outcome  `json:"outcome"`
	Notes   []string `json:"notes,omitempty"` // what failed, or why the case isn't applicable
	TookMS  float64  `json:"took_ms"`         // milliseconds
}

// A Report is what became of all cases. It encodes as JSON.
type Report struct {
	Binary  string   `json:"binary"`
	Backend string   `json:"backend"`
	Version string   `json:"version,omitempty"` // the backend's own; empty where it didn't start
	Results []Result `json:"results"`
	TookMS  float64  `json:"took_ms"` // milliseconds
}

// Count tells how many cases ended so.
func (r *Report) Count(o Outcome) int {
	n := 0
	for _, result := range r.Results {
		if result.Outcome == o {
			n++
		}
	}
	return n
}

// Passed tells whether no case failed and at least one passed.
func (r *Report) Passed() bool { return r.Count(Failed) == 0 && r.Count(Passed) > 0 }

// WriteText writes the report for people: a line for each case, with what
// failed below it, and the sum.
func (r *Report) WriteText(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s: backend %s %s\n\n", r.Binary, r.Backend, r.Version)
	for _, result := range r.Results {
		err = errors.Join(err, result.WriteText(w))
	}
	return errors.Join(err, r.WriteSum(w))
}

// WriteSum writes the last line of [Report.WriteText].
func (r *Report) WriteSum(w io.Writer) error {
	_, err := fmt.Fprintf(w, "\n%d passed, %d failed, %d not applicable, in %s\n",
		r.Count(Passed), r.Count(Failed), r.Count(NotApplicable), took(r.TookMS))
	return err
}

// WriteText writes the result as one line, with notes below it where it failed.
func (r Result) WriteText(w io.Writer) error {
	line := fmt.Sprintf("%-14s  %-58s  %8s", r.Outcome, r.Case, took(r.TookMS))
	switch r.Outcome {
	case Failed:
		line += "\n      what must be: " + r.Doc
		for _, note := range r.Notes {
			line += "\n      " + strings.ReplaceAll(note, "\n", "\n      ")
		}
	case NotApplicable:
		line = fmt.Sprintf("%-14s  %s: %s", r.Outcome, r.Case, strings.Join(r.Notes, "; "))
	}
	_, err := fmt.Fprintln(w, line)
	return err
}

func took(ms float64) string {
	d := time.Duration(ms * float64(time.Millisecond))
	if d >= 10*time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Millisecond).String()
}
