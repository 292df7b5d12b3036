package redis

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"github.com/msalext/msalext/extensions/backend"
)

// answered is what an error of the server means, by its first word. Its own
// text is left out: who runs the server writes it, and it may quote what was
// sent.
type answered struct {
	kind    error
	passing bool // another try may succeed
	text    string
	hint    string
}

var answers = map[string]answered{
	"LOADING":     {backend.ErrUnavailable, true, "Redis is still reading its data from disk", "try again in a moment"},
	"READONLY":    {backend.ErrUnavailable, true, "this server is a replica, which takes no changes", "name the master's address, or let Sentinel (master-name) or the Cluster (cluster) tell it"},
	"MASTERDOWN":  {backend.ErrUnavailable, true, "this server is a replica without its master", "name the master's address, or let Sentinel (master-name) or the Cluster (cluster) tell it"},
	"UNBLOCKED":   {backend.ErrUnavailable, true, "the server's role changed", "try again in a moment"},
	"CLUSTERDOWN": {backend.ErrUnavailable, true, "the Cluster is down, in whole or for this item", "see redis-cli --cluster check; it comes back when its nodes do"},
	"TRYAGAIN":    {backend.ErrUnavailable, true, "the item is being moved to another node", "try again in a moment"},
	"MOVED":       {backend.ErrUnavailable, true, "the item is on another node of a Cluster", "set cluster to true, or wait until the Cluster has settled"},
	"ASK":         {backend.ErrUnavailable, true, "the item is being moved to another node", "try again in a moment"},
	"NOREPLICAS":  {backend.ErrUnavailable, true, "too few replicas are connected, so the server takes no changes (min-replicas-to-write)", "see that the replicas run"},
	"BUSY":        {backend.ErrUnavailable, true, "the server runs somebody's script that doesn't end", "see SCRIPT KILL"},
	"MAXCLIENTS":  {backend.ErrUnavailable, true, "the server has as many clients as it takes", "raise maxclients, or end some"},
	"OOM":         {backend.ErrUnavailable, false, "the server's memory is full, and it drops nothing", "raise maxmemory, or let items go with the setting ttl"},
	"MISCONF":     {backend.ErrUnavailable, false, "the server takes no changes, since it can't write to its disk", "look into the server's log, and at its disk"},
	"NOAUTH":      {backend.ErrDenied, false, "the server wants a password", "set password-file or password-env, and username where the user isn't the default one"},
	"WRONGPASS":   {backend.ErrDenied, false, "the server knows no such user with this password", "correct username, and what password-file or password-env holds"},
	"NOPERM":      {backend.ErrDenied, false, "the server's ACL doesn't let this user do it", "give the user the keys and channels of the prefix (~prefix:* &prefix:*) and +@read +@write +@scripting +@pubsub +ping +time; with the setting db +select, with wait-replicas +wait, in a Cluster +cluster|slots"},
	"DENIED":      {backend.ErrDenied, false, "the server is in protected mode, which lets in its own machine alone", "set a password on the server"},
	"WRONGTYPE":   {backend.ErrCorrupt, false, errDamaged.Err.Error(), errDamaged.Hint},
	"NODB":        {backend.ErrInvalid, false, "the server has no database of that number", "correct the setting db"},
	"NOCLUSTER":   {backend.ErrInvalid, false, "the server is no Cluster", "leave the setting cluster out, and name one address"},
	"NOCOMMAND":   {backend.ErrUnsupported, false, "the server doesn't know a command that this backend needs", "use Redis 5 or later, with scripts allowed"},
}

// uncoded are errors that begin with ERR, by what their text contains.
var uncoded = []struct{ contains, code string }{
	{"max number of clients", "MAXCLIENTS"},
	{"The user executing the script can't", "NOPERM"}, // of Redis 7.0
	{"DB index is out of range", "NODB"},
	{"SELECT is not allowed", "NODB"},
	{"cluster support disabled", "NOCLUSTER"},
	{"unknown command", "NOCOMMAND"},
	{"invalid password", "WRONGPASS"},
	{"AUTH <password> called without any password", "WRONGPASS"},
	{"without any password configured", "WRONGPASS"},
}

var (
	errDamaged = &backend.Error{
		Kind: backend.ErrCorrupt, Err: errors.New("under the item's name lies something that msalext didn't store"),
		Hint: "choose another prefix, or remove that key by hand if nobody needs it",
	}
	errAway = &backend.Error{
		Kind: backend.ErrUnavailable, Err: errors.New("no connection to the Redis server"),
		Hint: "see that the server runs and that the setting address is right",
	}
	errSilent = &backend.Error{
		Kind: backend.ErrTimeout, Err: errors.New("the Redis server doesn't answer"),
		Hint: "see whether the server hangs, then try again",
	}
	errNoHandshake = &backend.Error{
		Kind: backend.ErrTimeout, Err: errors.New("the Redis server doesn't answer the TLS handshake"),
		Hint: "see whether TLS is spoken at the port in the setting address, then whether the server hangs",
	}
	errUnknownMaster = &backend.Error{
		Kind: backend.ErrInvalid, Err: errors.New("no master of that name is known to Sentinel"),
		Hint: "correct the setting master-name",
	}
	errDoubt = &backend.Error{
		Kind: backend.ErrUnavailable, Err: errors.New("the connection broke while the item was changed, and then somebody else changed it: whether ours came first isn't known"),
		Hint: "load the item and look",
	}
)

// code is the first word of a server's error; "": err is none.
func code(err error) string {
	var e goredis.Error
	if !errors.As(err, &e) || errors.Is(err, goredis.Nil) {
		return ""
	}
	text := e.Error()
	word, _, _ := strings.Cut(text, " ")
	if word != "ERR" {
		return word
	}
	for _, u := range uncoded {
		if strings.Contains(text, u.contains) {
			return u.code
		}
	}
	for known := range answers { // Redis 6 puts a script's error into one of its own
		if strings.Contains(text, "-"+known+" ") {
			return known
		}
	}
	return word
}

// passing tells whether another try may succeed.
func passing(err error) bool {
	switch word := code(err); {
	case err == nil:
		return false
	case word != "":
		return answers[word].passing
	case errors.Is(err, errFewReplicas):
		return true
	}
	return backend.KindOf(err) == nil && !errors.Is(err, context.Canceled) && !errors.Is(err, goredis.Nil) && untrusted(err) == nil
}

// explain turns what server and network answer into kinds.
func explain(err error) error {
	word := code(err)
	known, ok := answers[word]
	var ours *backend.Error
	var dial *net.OpError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ours): // perhaps wrapped by what dialled
		return ours
	case backend.KindOf(err) != nil:
		return err
	case ok:
		return &backend.Error{Kind: known.kind, Err: errors.New(known.text), Hint: known.hint}
	case errors.Is(err, goredis.Nil):
		return errUnknownMaster
	case word != "":
		return &backend.Error{Kind: backend.ErrUnavailable, Err: errors.New("the server answered an error of the kind " + printable(word)), Hint: "look into the server's log"}
	case untrusted(err) != nil:
		return untrusted(err)
	case late(err):
		return errSilent
	case errors.As(err, &dial):
		return &backend.Error{Kind: errAway.Kind, Err: fmt.Errorf("%w: %w", errAway.Err, dial), Hint: errAway.Hint}
	}
	return errAway
}

// untrusted is why TLS didn't come about; nil: that wasn't it.
func untrusted(err error) error {
	var verification *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var alert *net.OpError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &verification), errors.As(err, &unknown):
		return &backend.Error{Kind: backend.ErrDenied, Err: errors.New("the server's certificate isn't trusted"),
			Hint: "set tls-ca-file to the certificate that signs it, and tls-server-name where it has another name than the address"}
	case errors.As(err, &alert) && alert.Op == "remote error": // as crypto/tls names an alert
		return &backend.Error{Kind: backend.ErrDenied, Err: errors.New("the server ended the TLS handshake: " + alert.Err.Error()),
			Hint: "where it wants a client's certificate, set tls-cert-file and tls-key-file"}
	case errors.As(err, &record):
		return &backend.Error{Kind: backend.ErrInvalid, Err: errors.New("the server doesn't speak TLS at this address"),
			Hint: "correct the port in the setting address, or the setting tls"}
	}
	return nil
}

func late(err error) bool {
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		return false
	}
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}

// printable keeps an error's word to what such words consist of.
func printable(word string) string {
	clean := []byte(word[:min(len(word), 32)])
	for i, c := range clean {
		if c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			clean[i] = '?'
		}
	}
	return string(clean)
}
