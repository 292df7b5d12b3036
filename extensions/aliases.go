package extensions

import (
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
)

// What most applications need of the packages below, under one import.
type (
	// Persistence is one item of a store, shared between processes.
	Persistence = persist.Persistence
	// PersistedTokenCache is an MSAL token cache kept in a Persistence.
	PersistedTokenCache = persist.PersistedTokenCache
	// CacheOptions tune a PersistedTokenCache.
	CacheOptions = persist.CacheOptions
	// Change is what Persistence.Watch tells.
	Change = persist.Change
	// LastWrite is what Persistence.LastWrite tells.
	LastWrite = persist.LastWrite
	// Quarantined is what Persistence.Quarantined lists.
	Quarantined = persist.Quarantined
	// PurgeOptions tune Persistence.Purge.
	PurgeOptions = persist.PurgeOptions
	// Purged is what Persistence.Purge removed.
	Purged = persist.Purged
	// Protection tells what keeps others from reading the cache.
	Protection = persist.Protection
	// Error is what failing calls return.
	Error = backend.Error
)

// The kinds of failure, as package backend explains them.
var (
	ErrNotFound       = backend.ErrNotFound
	ErrConflict       = backend.ErrConflict
	ErrLocked         = backend.ErrLocked
	ErrDenied         = backend.ErrDenied
	ErrUnavailable    = backend.ErrUnavailable
	ErrUnsupported    = backend.ErrUnsupported
	ErrCorrupt        = backend.ErrCorrupt
	ErrDecrypt        = backend.ErrDecrypt
	ErrEncrypt        = backend.ErrEncrypt
	ErrTooLarge       = backend.ErrTooLarge
	ErrTimeout        = backend.ErrTimeout
	ErrLockTimeout    = backend.ErrLockTimeout
	ErrBackendChanged = backend.ErrBackendChanged
	ErrPluginNotFound = backend.ErrPluginNotFound
	ErrPluginRefused  = backend.ErrPluginRefused
	ErrInvalid        = backend.ErrInvalid
	ErrClosed         = backend.ErrClosed
)

// NewPersistedTokenCache returns the token cache that p keeps. It does no I/O.
func NewPersistedTokenCache(p *Persistence, opts *CacheOptions) *PersistedTokenCache {
	return persist.NewPersistedTokenCache(p, opts)
}
