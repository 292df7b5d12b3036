package main

import (
	"errors"
	"strconv"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/msal/web/redisstore"
)

// openRedis opens the sessions' store, and says where the tokens' is: on the
// same server, by connections of its own.
func (s *settings) openRedis(k *stores, where backend.Settings) error {
	where["prefix"], where["wait-replicas"] = "webapp", strconv.Itoa(s.replicas)
	client, err := s.redisClient(where)
	if err != nil {
		return err
	}
	k.sessions = redisstore.New(client, &redisstore.Options{Replicas: s.replicas})
	k.shut = append(k.shut, client.Close)
	return nil
}

func (s *settings) redisClient(where backend.Settings) (goredis.UniversalClient, error) {
	if s.master != "" {
		where["address"], where["master-name"] = s.redis, s.master
		return goredis.NewFailoverClient(&goredis.FailoverOptions{MasterName: s.master, SentinelAddrs: strings.Split(s.redis, ",")}), nil
	}
	url := s.redis
	if !strings.Contains(url, "://") {
		url = "redis://" + url
	}
	options, err := goredis.ParseURL(url)
	if err != nil { // which prints the password
		return nil, errors.New("REDIS isn't an address: set it to host:port, or to redis://user:password@host:port/db")
	}
	where["address"], where["db"] = options.Addr, strconv.Itoa(options.DB)
	where["tls"] = strconv.FormatBool(options.TLSConfig != nil)
	if options.Password != "" {
		where["username"], where["password"] = options.Username, options.Password
	}
	return goredis.NewClient(options), nil
}
