// Command inprocess gets its data with neither go-plugin nor gRPC linked in.
package main

import (
	"context"

	"github.com/msalext/msalext/ci/bench/internal/command"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/plugins/file"
)

func main() { command.Main(run) }

func run(f command.Flags) error {
	ctx := context.Background()
	c := backend.Config{Location: f.Location, Path: f.Location}
	store, err := file.Backend().Open(ctx, c)
	if err != nil {
		return err
	}
	p := persist.New("file", store, c, nil)
	data, err := p.Load(ctx)
	if err != nil {
		return err
	}
	if err := f.AtHand(data); err != nil {
		return err
	}
	return p.Close()
}
