// Package stock is the host's side of go-plugin's own example, as it comes.
package stock

import (
	"fmt"
	"hash"
	"os/exec"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/examples/grpc/shared"
)

// Client prepares a plugin process. A checksum of the binary, made with h,
// turns AutoMTLS and SecureConfig on; empty: neither.
func Client(path string, checksum []byte, h hash.Hash) *plugin.Client {
	config := &plugin.ClientConfig{
		HandshakeConfig:  shared.Handshake,
		Plugins:          plugin.PluginSet{shared.PluginGRPC: &shared.KVGRPCPlugin{}},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		Cmd:              exec.Command(path),
		Logger:           hclog.NewNullLogger(),
	}
	if len(checksum) > 0 {
		config.AutoMTLS = true
		config.SecureConfig = &plugin.SecureConfig{Checksum: checksum, Hash: h}
	}
	return plugin.NewClient(config)
}

// Load starts the plugin and makes its one call.
func Load(c *plugin.Client, path string) ([]byte, error) {
	conn, err := c.Client()
	if err != nil {
		return nil, err
	}
	raw, err := conn.Dispense(shared.PluginGRPC)
	if err != nil {
		return nil, err
	}
	kv, ok := raw.(shared.KV)
	if !ok {
		return nil, fmt.Errorf("the plugin is a %T", raw)
	}
	return kv.Get(path)
}
