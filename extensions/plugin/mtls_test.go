package plugin

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/wire"
	"google.golang.org/grpc"
)

// hosted is the host's side for go-plugin's own client.
type hosted struct {
	goplugin.NetRPCUnsupportedPlugin
}

func (hosted) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error { return errors.New("host") }

func (hosted) GRPCClient(ctx context.Context, _ *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return wire.NewClient(ctx, conn, wire.Options{Name: "odd"})
}

// TestGoPluginClient is the way of Windows, and of hosts that aren't ours:
// go-plugin's own client with certificates on both sides.
func TestGoPluginClient(t *testing.T) {
	t.Parallel()
	tryGoPluginClient(t, &goplugin.ClientConfig{
		Cmd: command(t, "main", []string{envSocketDir + "=" + shortDir(t)}, nil), AutoMTLS: true, MinPort: 0, MaxPort: 1,
	})
}

func tryGoPluginClient(t *testing.T, config *goplugin.ClientConfig) {
	t.Helper()
	config.HandshakeConfig = goplugin.HandshakeConfig{MagicCookieKey: wire.CookieKey, MagicCookieValue: wire.CookieValue}
	config.VersionedPlugins = map[int]goplugin.PluginSet{wire.ProtocolVersion: {wire.ServiceName: hosted{}}}
	config.AllowedProtocols = []goplugin.Protocol{goplugin.ProtocolGRPC}
	config.Logger = hclog.NewNullLogger()
	client := goplugin.NewClient(config)
	defer client.Kill()
	protocol, err := client.Client()
	if err != nil {
		t.Fatal(err)
	}
	if err := protocol.Ping(); err != nil {
		t.Errorf("it isn't healthy: %v", err)
	}
	raw, err := protocol.Dispense(wire.ServiceName)
	if err != nil {
		t.Fatal(err)
	}
	marks := t.TempDir()
	s, err := raw.(backend.Backend).Open(t.Context(), backend.Config{Path: marks})
	if err != nil {
		t.Fatal(err)
	}
	load(t, s, "print")
	client.Kill()
	if !client.Exited() || !marked(marks, "closed") {
		t.Error("Shutdown didn't end it in order")
	}
	if code := config.Cmd.ProcessState.ExitCode(); code != wire.ExitDone {
		t.Errorf("it was killed: %v", config.Cmd.ProcessState)
	}
}

func TestACertificateThatIsNone(t *testing.T) {
	t.Parallel()
	env := []string{wire.CookieKey + "=" + wire.CookieValue, envClientCert + "=secret nonsense", envSocketDir + "=" + shortDir(t)}
	stdout, stderr, status := run(t, "main", env, nil)
	if status != wire.ExitUnavailable || stdout != "" || !strings.Contains(stderr, "certificate can't be read") || strings.Contains(stderr, "nonsense") {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
}
