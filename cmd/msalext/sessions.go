package main

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"strconv"
	"strings"

	goredis "github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/msalext/msalext/msal/web/redisstore"
)

// webSessions says where a web app keeps its sessions; where its tokens are, the
// flags of all commands say.
type webSessions struct {
	*command
	redis, master, prefix string
}

func (c *command) sessions() *cobra.Command {
	s := &webSessions{command: c}
	cmd := &cobra.Command{
		Use:   "sessions",
		Short: "Who is signed in to a web app that keeps its sessions on Redis",
		Long: "Works on the sessions of a web app made with package web, on a Redis server. A LOCATION is that of\n" +
			"the app's tokens, as for other commands; with --set address=… they are on Redis as well.\n\n" +
			"Passwords are taken from the environment alone, since every user of a machine sees arguments: the\n" +
			"server's from REDIS=redis://user:password@host:port or REDIS_PASSWORD, that of Sentinels from\n" +
			"SENTINEL_PASSWORD.",
	}
	cmd.AddCommand(s.list(), s.token(), s.clean())
	return family(cmd)
}

// flags are those of each command about sessions.
func (s *webSessions) flags(cmd *cobra.Command) *pflag.FlagSet {
	flags := cmd.Flags()
	flags.StringVar(&s.redis, "redis", "", "the server that keeps the sessions, host:port or redis://…; default: $REDIS; a password is in that one or in $REDIS_PASSWORD")
	flags.StringVar(&s.master, "redis-master", "", "what Sentinel calls the master; --redis or $REDIS is Sentinels then, host:port with commas between; passwords are in $REDIS_PASSWORD and $SENTINEL_PASSWORD")
	flags.StringVar(&s.prefix, "prefix", redisstore.Prefix, "what the names of sessions begin with on the server")
	for _, name := range []string{"redis", "redis-master", "prefix"} {
		complete(cmd, name, nil)
	}
	s.backendFlags(cmd)
	return flags
}

// open connects to the sessions' server, and to the tokens at a location; an
// empty one is none.
func (s *webSessions) open(ctx context.Context, location string) (*redisstore.Sessions, func(), error) {
	client, err := s.client()
	if err != nil {
		return nil, nil, err
	}
	all := &redisstore.Sessions{Store: redisstore.New(client, &redisstore.Options{Prefix: s.prefix})}
	if location == "" {
		return all, func() { _ = client.Close() }, nil
	}
	if all.Tokens, err = s.command.open(ctx, location); err != nil {
		_ = client.Close()
		return nil, nil, err
	}
	return all, func() { _ = all.Tokens.Close(); _ = client.Close() }, nil
}

// client reads the address. Arguments show to every user of the machine, so a
// password is taken from the environment alone.
func (s *webSessions) client() (goredis.UniversalClient, error) {
	address := s.redis
	if address == "" {
		address = os.Getenv("REDIS")
	}
	if address == "" {
		return nil, usage("name the server that keeps the sessions with --redis, or in the environment variable REDIS")
	}
	if s.master != "" {
		return behindSentinels(s.master, strings.Split(address, ","))
	}
	if !strings.Contains(address, "://") {
		address = "redis://" + address
	}
	options, err := goredis.ParseURL(address)
	if err != nil || strings.Contains(address, "#") { // err prints the password; what is behind a # may be the end of one
		return nil, usage("the server's address is wrong: host:port, or redis://user@host:port/db")
	}
	if s.redis != "" && options.Password != "" {
		return nil, usage("every user of this machine can see arguments: put the address with the password into the environment variable REDIS")
	}
	if options.Password == "" {
		options.Password = os.Getenv("REDIS_PASSWORD")
	}
	if options.TLSConfig != nil {
		options.TLSConfig.MinVersion = tls.VersionTLS12
	}
	return goredis.NewClient(options), nil
}

// behindSentinels is the client of a master that Sentinels name. The client prints
// addresses as they are when they don't answer, so one with a password in it must not
// get that far.
func behindSentinels(master string, addresses []string) (goredis.UniversalClient, error) {
	for _, address := range addresses {
		host, port, err := net.SplitHostPort(address)
		if _, perr := strconv.ParseUint(port, 10, 16); err != nil || perr != nil || host == "" || strings.ContainsAny(host, "@/") {
			return nil, usage("with --redis-master, the addresses are those of Sentinels: host:port, with commas between, and nothing else; passwords belong into the environment variables REDIS_PASSWORD and SENTINEL_PASSWORD")
		}
	}
	return goredis.NewFailoverClient(&goredis.FailoverOptions{
		MasterName: master, Password: os.Getenv("REDIS_PASSWORD"),
		SentinelAddrs: addresses, SentinelPassword: os.Getenv("SENTINEL_PASSWORD"),
		DialerRetries: 1, // a person waits, and each command is tried again anyway
	}), nil
}
