//go:build unix

package plugintest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/backendtest"
	"github.com/msalext/msalext/extensions/plugintest"
)

func run(t *testing.T, o plugintest.Options) *plugintest.Report {
	t.Helper()
	o.Child = child(t)
	report, err := plugintest.Run(t.Context(), &o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func text(t *testing.T, r *plugintest.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// own tells the cases of this package from those of backendtest, which has
// tests of its own.
func own(name string) bool {
	return !slices.ContainsFunc(backendtest.Cases(), func(c backendtest.Case) bool { return c.Name == name })
}

func TestEachFaultIsCaughtByTheCaseThatNamesIt(t *testing.T) {
	t.Parallel()
	for name, b := range plugins {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report := run(t, plugintest.Options{
				Binary: installed(t, name), Settings: b.settings,
				Match: func(c string) bool { return own(c) && !b.slow || slices.Contains(b.caughtBy, c) },
			})
			var failed []string
			for _, r := range report.Results {
				if r.Outcome == plugintest.Failed {
					failed = append(failed, r.Case)
				}
			}
			want := slices.Sorted(slices.Values(b.caughtBy))
			if diff := cmp.Diff(want, slices.Sorted(slices.Values(failed))); diff != "" {
				t.Errorf("caught by (-want +got):\n%s\n%s", diff, text(t, report))
			}
			if report.Passed() != (len(b.caughtBy) == 0) {
				t.Errorf("passed: %v", report.Passed())
			}
		})
	}
}

func TestGoodPluginsPassAllCases(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string]backend.Settings{
		"file":   nil,
		"sqlite": {"key": strings.Repeat("0123456789abcdef", 4)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report := run(t, plugintest.Options{Binary: built(t, name), Settings: settings})
			if !report.Passed() || report.Version == "" {
				t.Errorf("%s", text(t, report))
			}
			var cases []string
			for _, r := range report.Results {
				cases = append(cases, r.Case)
			}
			if diff := cmp.Diff(plugintest.Cases(), cases); diff != "" {
				t.Errorf("cases (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	var told []plugintest.Result
	report := run(t, plugintest.Options{
		Binary: installed(t, "boaster"), Reported: func(r plugintest.Result) { told = append(told, r) },
		Match: func(name string) bool {
			return strings.HasPrefix(name, "keeps items in clear") || strings.HasPrefix(name, "shows secret settings in")
		},
	})
	if diff := cmp.Diff(report.Results, told); diff != "" {
		t.Errorf("reported otherwise: %s", diff)
	}
	shown := text(t, report)
	for _, part := range []string{
		"backend boaster 1\n", "passed          doesn't start", "failed          keeps items in clear", "what must be: A store that",
		"(raw)", "not applicable  shows secret settings in its logs: no secret setting", "1 passed, 1 failed, 1 not applicable",
	} {
		if !strings.Contains(shown, part) {
			t.Errorf("the text has no %q:\n%s", part, shown)
		}
	}
	var decoded plugintest.Report
	encoded, err := json.Marshal(report)
	if err == nil {
		err = json.Unmarshal(encoded, &decoded)
	}
	if diff := cmp.Diff(report, &decoded); err != nil || diff != "" {
		t.Errorf("%v, as JSON: %s", err, diff)
	}
}

func TestWhatDoesNotStartIsTheOnlyResult(t *testing.T) {
	t.Parallel()
	report := run(t, plugintest.Options{Binary: installed(t, "good") + "-gone", Name: "good"})
	if len(report.Results) != 1 || report.Results[0].Case != "doesn't start" || report.Passed() {
		t.Errorf("%s", text(t, report))
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, binary := range []string{"", "/bin/true"} {
		if _, err := plugintest.Run(t.Context(), &plugintest.Options{Binary: binary}); !errors.Is(err, backend.ErrInvalid) {
			t.Errorf("%q: %v", binary, err)
		}
	}
	if err := plugintest.Child(t.Context(), strings.NewReader("{"), &bytes.Buffer{}); !errors.Is(err, backend.ErrInvalid) {
		t.Errorf("a child without a job: %v", err)
	}
	report := run(t, plugintest.Options{Binary: installed(t, "good"), Settings: backend.Settings{"colour": "red"}})
	if len(report.Results) != 1 || !strings.Contains(strings.Join(report.Results[0].Notes, ""), "unknown setting") {
		t.Errorf("%s", text(t, report))
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	report, err := plugintest.Run(ctx, &plugintest.Options{
		Binary: installed(t, "good"), Reported: func(plugintest.Result) { cancel() },
	})
	if !errors.Is(err, context.Canceled) || len(report.Results) != 1 || report.Results[0].Outcome != plugintest.Passed {
		t.Errorf("%v\n%s", err, text(t, report))
	}
}
