// Package report runs variants in turns, sums up what they took, and prints
// it as a table with a verdict for each bound.
package report

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// A Sample is what one variant took, once for each round.
type Sample []time.Duration

// quantile returns the value below which the part q of all lies; the zero
// value where there are none.
func quantile[T cmp.Ordered](all []T, q float64) (v T) {
	if len(all) == 0 {
		return v
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}

// Median is the middle of the sample; 0 when it is empty.
func (s Sample) Median() time.Duration { return quantile(s, 0.5) }

// Ratio is s's median in terms of that of another.
func (s Sample) Ratio(of Sample) float64 { return float64(s.Median()) / float64(of.Median()) }

// A Variant is one of several ways to do the same.
type Variant struct {
	Name string
	Once func() (time.Duration, error) // does it once and tells what it took
}

// Rounds runs all variants once each round, every round in another order, so
// that none always follows the same one and a slow minute of the machine hits
// all alike. One round before the first isn't counted.
func Rounds(n int, variants []Variant) ([]Sample, error) {
	samples := make([]Sample, len(variants))
	order := rand.New(rand.NewPCG(1, 2))
	for round := range n + 1 {
		for _, i := range order.Perm(len(variants)) {
			took, err := variants[i].Once()
			if err != nil {
				return nil, fmt.Errorf("%s, round %d: %w", variants[i].Name, round, err)
			}
			if round > 0 {
				samples[i] = append(samples[i], took)
			}
		}
	}
	return samples, nil
}

// Each times f: the mean of n calls that follow one which isn't counted, since
// another variant has just had the processor's caches.
func Each(n int, f func() error) func() (time.Duration, error) {
	return func() (time.Duration, error) {
		if err := f(); err != nil {
			return 0, err
		}
		start := time.Now()
		for range n {
			if err := f(); err != nil {
				return 0, err
			}
		}
		return time.Since(start) / time.Duration(n), nil
	}
}

// Single times one call of f, without a call before it.
func Single(f func() error) func() (time.Duration, error) {
	return func() (time.Duration, error) {
		start := time.Now()
		err := f()
		return time.Since(start), err
	}
}
