package redis

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// place is a backend.Config, understood.
type place struct {
	addresses []string
	master    string // Sentinel's name for it; empty: no Sentinel
	cluster   bool
	db        int

	user, sentinel login
	tls            *tls.Config // nil: none
	insecure       bool

	names    names
	ttl      time.Duration // 0: for ever
	replicas int
}

type login struct{ name, password string }

func (b *redisBackend) read(c backend.Config) (place, error) {
	c, err := b.sorted(c)
	if err != nil {
		return place{}, err
	}
	r := reader{settings: c.Settings}
	at := place{
		master:   c.Settings["master-name"],
		cluster:  r.truth("cluster"),
		db:       r.number("db", math.MaxInt32),
		user:     login{c.Settings["username"], string(c.Secrets["password"])},
		sentinel: login{c.Settings["sentinel-username"], string(c.Secrets["sentinel-password"])},
		insecure: r.truth("insecure"),
		names:    prefix(c),
		ttl:      r.duration("ttl"),
		replicas: r.number("wait-replicas", 1000),
	}
	if r.err == nil {
		at.addresses, r.err = addresses(c.Settings["address"], at.master != "")
	}
	if r.err == nil {
		at.tls, r.err = transport(c, r.truth("tls"))
	}
	if r.err == nil {
		r.err = at.check()
	}
	return at, r.err
}

// sorted refuses settings that nobody would read, and moves a password from
// among the others, where a program may have it, to the secrets.
func (b *redisBackend) sorted(c backend.Config) (backend.Config, error) {
	all := maps.Clone(c.Settings)
	if all == nil {
		all = backend.Settings{}
	}
	for setting, value := range c.Secrets {
		all[setting] = string(value)
	}
	var err error
	c.Settings, c.Secrets, err = b.Describe().Split(all)
	return c, err
}

func prefix(c backend.Config) names {
	if p := c.Settings["prefix"]; p != "" {
		return names(p)
	}
	sum := sha256.Sum256([]byte(c.Location))
	return names("msalext:" + hex.EncodeToString(sum[:16]))
}

// check refuses what doesn't go together.
func (at *place) check() error {
	several := len(at.addresses) > 1
	switch {
	case at.master == "" && several:
		at.cluster = true
	case at.master != "" && at.cluster:
		return invalid("cluster", "true", "leave it out: a master that Sentinel names is no Cluster")
	}
	switch {
	case at.cluster && at.db != 0:
		return invalid("db", strconv.Itoa(at.db), "leave it out: a Cluster has one database")
	case at.master == "" && at.sentinel != (login{}):
		return invalid("master-name", "", "set it: sentinel-username and sentinel-password are for Sentinels")
	}
	if at.tls != nil || at.insecure {
		return nil
	}
	for _, a := range at.addresses {
		if err := refuseDistant(a); err != nil {
			return err
		}
	}
	return nil
}

// reader reads settings, and keeps the first error.
type reader struct {
	settings backend.Settings
	err      error
}

func (r *reader) truth(setting string) bool {
	switch value := r.settings[setting]; value {
	case "", "false":
	case "true":
		return true
	default:
		r.note(invalid(setting, value, `set it to "true" or "false"`))
	}
	return false
}

func (r *reader) number(setting string, most int) int {
	value := r.settings[setting]
	if value == "" {
		return 0
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || n > most {
		r.note(invalid(setting, value, fmt.Sprintf("set it to a number from 0 to %d", most)))
	}
	return n
}

func (r *reader) duration(setting string) time.Duration {
	value := r.settings[setting]
	if value == "" {
		return 0
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < time.Second {
		r.note(invalid(setting, value, `set it to a time of at least a second, such as "720h"`))
	}
	return d
}

func (r *reader) note(err error) {
	if r.err == nil {
		r.err = err
	}
}

// invalid says which setting is wrong and what would be right.
func invalid(setting, value, hint string) error {
	return &backend.Error{
		Kind: backend.ErrInvalid, Err: fmt.Errorf("setting %s is %q", setting, strings.ToValidUTF8(value, "?")),
		Hint: hint,
	}
}
