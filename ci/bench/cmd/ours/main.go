// Command ours gets its data as a program does that uses package extensions:
// through a plugin, or with -linked in process.
package main

import (
	"context"

	"github.com/msalext/msalext/ci/bench/internal/command"
	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/plugins/file"
)

func main() { command.Main(run) }

func run(f command.Flags) error {
	ctx := context.Background()
	opts := &extensions.Options{Background: f.Later}
	if f.Linked {
		opts.InProcess = []backend.Backend{file.Backend()}
	}
	p, err := extensions.Open(ctx, "file", f.Location, opts)
	if err != nil {
		return err
	}
	command.Work(f.Work)
	data, err := p.Load(ctx)
	if err != nil {
		return err
	}
	if err := f.AtHand(data); err != nil {
		return err
	}
	return p.Close()
}
