package report

import (
	"fmt"
	"io"
	"time"
)

// A Row is one question of the benchmark, with what was measured to answer it.
type Row struct {
	Name  string
	Bound string // for people: what must hold

	lines  []string
	misses []string
}

// Add prints a variant's sample; note is what else is to be said of it.
func (r *Row) Add(name string, s Sample, note string) {
	r.add(name, Short(quantile(s, 0.25)), Short(s.Median()), Short(quantile(s, 0.75)), len(s), note)
}

// Count prints numbers that aren't times.
func (r *Row) Count(name string, values []float64, note string) {
	text := func(q float64) string { return fmt.Sprintf("%.3g", quantile(values, q)) }
	r.add(name, text(0.25), text(0.5), text(0.75), len(values), note)
}

// Middle is the median of numbers; 0 where there are none.
func Middle(values []float64) float64 { return quantile(values, 0.5) }

func (r *Row) add(name, low, middle, high string, n int, note string) {
	r.lines = append(r.lines, fmt.Sprintf("  %-56s %9s %9s %9s %5d  %s", name, low, middle, high, n, note))
}

// Need notes whether a bound holds, and says what of it was measured.
func (r *Row) Need(holds bool, format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	if holds {
		r.lines = append(r.lines, "  kept:   "+what)
		return
	}
	r.lines = append(r.lines, "  MISSED: "+what)
	r.misses = append(r.misses, what)
}

// Note adds what isn't bound to anything.
func (r *Row) Note(format string, args ...any) {
	r.lines = append(r.lines, "  "+fmt.Sprintf(format, args...))
}

// Misses are the bounds that don't hold.
func (r *Row) Misses() []string { return r.misses }

// Print writes the row.
func (r *Row) Print(w io.Writer) {
	fmt.Fprintf(w, "\n== %s\n", r.Name)
	if r.Bound != "" {
		fmt.Fprintf(w, "  bound: %s\n", r.Bound)
	}
	fmt.Fprintf(w, "  %-56s %9s %9s %9s %5s\n", "", "quartile", "median", "quartile", "n")
	for _, line := range r.lines {
		fmt.Fprintln(w, line)
	}
}

// Short is a duration with three digits that count.
func Short(d time.Duration) string {
	switch {
	case d < 10*time.Microsecond:
		return fmt.Sprintf("%.2f us", float64(d)/1e3)
	case d < time.Millisecond:
		return fmt.Sprintf("%.1f us", float64(d)/1e3)
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.2f ms", float64(d)/1e6)
	case d < time.Second:
		return fmt.Sprintf("%.1f ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}
