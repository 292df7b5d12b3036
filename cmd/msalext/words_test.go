package main

import (
	"testing"
	"time"
)

func TestWhen(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for after, want := range map[time.Duration]string{
		0:                               "now",
		-300 * time.Millisecond:         "now",
		59*time.Second + 999e6:          "in 59 s",
		43*time.Minute + 50*time.Second: "in 43 min",
		-2 * time.Hour:                  "2 h ago",
		-50 * time.Hour:                 "2 d ago",
		800 * 24 * time.Hour:            "in 2 y",
	} {
		if got := when(now.Add(after), now); got != want {
			t.Errorf("%s: %q, want %q", after, got, want)
		}
	}
	if got := when(time.Time{}, now); got != "not said" {
		t.Errorf("no time: %q", got)
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	if got := plain("a\x1b[2Jb\u202ec\u0085d\ne"); got != "a?[2Jb?c?d?e" {
		t.Errorf("got %q", got)
	}
	if got := plain("Zoë 漢字"); got != "Zoë 漢字" {
		t.Errorf("got %q", got)
	}
}
