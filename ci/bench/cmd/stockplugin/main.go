// Command stockplugin is the smallest plugin that go-plugin's example allows:
// it reads files.
package main

import (
	"errors"
	"os"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/examples/grpc/shared"
)

func main() {
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: shared.Handshake,
		Plugins:         plugin.PluginSet{shared.PluginGRPC: &shared.KVGRPCPlugin{Impl: files{}}},
		GRPCServer:      plugin.DefaultGRPCServer,
		Logger:          hclog.NewNullLogger(),
	})
}

// files takes keys for paths.
type files struct{}

func (files) Get(path string) ([]byte, error) { return os.ReadFile(path) }

func (files) Put(string, []byte) error { return errors.ErrUnsupported }
