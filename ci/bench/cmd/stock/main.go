// Command stock gets its data through go-plugin as its own example uses it,
// with one call of a plugin that reads a file. With -sha256 it protects itself
// as is usual: AutoMTLS and SecureConfig.
package main

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/msalext/msalext/ci/bench/internal/command"
	"github.com/msalext/msalext/ci/bench/internal/stock"
)

func main() { command.Main(run) }

func run(f command.Flags) error {
	sum, err := hex.DecodeString(f.SHA256)
	if err != nil {
		return err
	}
	client := stock.Client(f.Plugin, sum, sha256.New())
	defer client.Kill()
	data, err := stock.Load(client, f.Location)
	if err != nil {
		return err
	}
	return f.AtHand(data)
}
