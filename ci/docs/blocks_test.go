package main

import (
	"slices"
	"testing"
)

func TestBlocks(t *testing.T) {
	t.Parallel()
	const text = "# T\n\n```sh\nmkdir x\n```\n\n```go\nfunc x()\n```\n\n```console\n$ ls x\na\n$ rm -r x\n```\n\n" +
		"<!-- not run: tenant -->\n```sh\nmsalext watch\n```\n```sh\ntrue\n```\n"
	got, err := blocksOf(text)
	want := []block{
		{3, "mkdir x\n", ""}, {11, "ls x\nrm -r x\n", ""}, {18, "msalext watch\n", "tenant"}, {21, "true\n", ""},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestWhatNobodyDecidedOnIsAnError(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"language": "```fish\nls\n```\n",
		"reason":   "<!-- not run: lazy -->\n```sh\nls\n```\n",
		"no end":   "```sh\nls\n",
	} {
		if got, err := blocksOf(text); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}
